/**
 * `node test/artifact-clients/run.ts [--before FOLDER]`: clients that people have fetch a picture of a running service by its stable
 * link, with the API key, and follow redirects. Each must get the bytes, and the store must not see the key. FOLDER is an older
 * checkout with its packages, whose service is measured too. The libraries come from npm and PyPI into folders outside the
 * repository. It prints a table and fails if a client fails; a client that the machine cannot have is "not shown", with the reason.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { drawing } from '../service/pictures.ts';
import { RunningService } from '../service/running-service.ts';
import { type Client, fetchBy } from './clients.ts';
import { startFronts } from './fronts.ts';
import { installClients } from './installed.ts';

const { before } = parseArgs({ options: { before: { type: 'string' } } }).values;

/** Where the store is, as the client sees it. */
const hosts = { port: '127.0.0.1', host: '127.0.0.2' };
const columns = [
  ...(before === undefined
    ? []
    : [
        { title: 'before: the API’s own origin', checkout: before, storeHost: null },
        { title: 'before: another host', checkout: before, storeHost: hosts.host },
      ]),
  { title: 'now: another port', checkout: null, storeHost: hosts.port },
  { title: 'now: another host', checkout: null, storeHost: hosts.host },
];

interface Target {
  readonly service: RunningService;
  readonly path: string;
  readonly sha256: string;
}

async function startTarget(checkout: string | null): Promise<Target> {
  const program = checkout === null ? {} : { program: resolve(checkout, 'apps/cli/bin/whylight.js') };
  const service = await RunningService.start(program);
  const { id } = await service.client.upload((await drawing(52)).png, 'image/png');
  const { explanation } = await service.client.explain({ input: { upload: id }, method: 'grad-cam' });
  const { url, sha256 } = explanation.attributions[0]!.artifacts.overlay;
  return { service, path: url, sha256 };
}

interface Cell {
  readonly text: string;
  readonly good: boolean;
}

/** What each client gets, by its name. */
async function column(
  { service, path, sha256 }: Target,
  storeHost: string | null,
  clients: readonly Client[],
): Promise<Map<string, Cell>> {
  await using fronts = await startFronts(service.ready, storeHost);
  const cells = new Map<string, Cell>();
  for (const client of clients) {
    const fetched = await fetchBy(client, fronts, path, service.ready.api_key);
    const picture = fetched.sha256 === sha256;
    const how = fetched.statuses.length === 0 ? 'picture, from the gateway' : 'picture';
    const got = picture ? how : (fetched.statuses.at(-1) ?? fetched.failure ?? 'another body');
    const text = `${got}${fetched.keys > 0 ? ', and the store sees the key' : ''}`;
    cells.set(client.name, { text, good: picture && fetched.keys === 0 });
    console.error(`${client.name}: ${text}`);
  }
  return cells;
}

const home = mkdtempSync(join(tmpdir(), 'whylight-artifact-clients-'));
const found = await installClients(home);
const clients = [...found.values()].flatMap((each) => ('client' in each ? [each.client] : []));
const results: Map<string, Cell>[] = [];
const targets = new Map<string | null, Target>();
try {
  for (const { title, checkout, storeHost } of columns) {
    console.error(title);
    const target = targets.get(checkout) ?? (await startTarget(checkout));
    targets.set(checkout, target);
    results.push(await column(target, storeHost, clients));
  }
} finally {
  for (const { service } of targets.values()) await service.remove();
  rmSync(home, { recursive: true, force: true });
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
console.log(row(['client', ...columns.map(({ title }) => title)]));
console.log(row(['---', ...columns.map(() => '---')]));
for (const [name, each] of found)
  if ('version' in each)
    console.log(row([`${name} ${each.version}`, ...results.map((cells) => cells.get(name)!.text)]));
for (const [name, each] of found)
  if ('reason' in each) console.log(`not shown: ${name}: ${each.reason.replace(/\s+/g, ' ').slice(0, 300)}`);

const now = results.filter((_, i) => columns[i]!.checkout === null);
const failed = clients.filter(({ name }) => now.some((cells) => !cells.get(name)!.good));
if (failed.length > 0) console.log(`FAILED: ${failed.map(({ name }) => name).join(', ')}`);
process.exitCode = failed.length > 0 || clients.length === 0 ? 1 : 0;
