/**
 * `node test/artifact-clients/run.ts`: clients that people have fetch a picture of a running service with the API key, and follow
 * redirects. Each must get the bytes, and the store must not see the key. The libraries come from npm and PyPI into folders outside
 * the repository. It prints a table and fails if a client fails; what the machine lacks is skipped, with the reason.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, Place } from '../consumers/place.ts';
import { type Check, Skipped, Table } from '../consumers/table.ts';
import { drawing } from '../service/pictures.ts';
import { RunningService } from '../service/running-service.ts';
import { type Client, commandLine, fetchBy, inGo, inJava, inNode, inPython } from './clients.ts';
import { type Fronts, startFronts } from './fronts.ts';

const nodeLibraries = ['undici', 'axios', 'got', 'node-fetch', 'superagent', 'ky'];
const pythonLibraries = ['requests', 'httpx', 'aiohttp', 'urllib3'];

const home = mkdtempSync(join(tmpdir(), 'whylight-artifact-clients-'));
const table = new Table();

function newPlace(name: string): Place {
  const folder = join(home, name);
  mkdirSync(folder);
  return new Place(folder);
}

async function installedClients(): Promise<Client[]> {
  const [node, python, others] = [newPlace('node'), newPlace('python'), newPlace('others')];
  await table.run({
    consumer: 'install libraries for Node',
    run: async () => {
      await install(node, nodeLibraries);
      return nodeLibraries.join(', ');
    },
  });
  await table.run({
    consumer: 'install libraries for Python',
    run: async () => {
      await python.run(process.env.WHYLIGHT_PYTHON ?? 'python3', ['-m', 'venv', '.']);
      await python.run('bin/python', ['-m', 'pip', 'install', '--quiet', ...pythonLibraries]);
      return pythonLibraries.join(', ');
    },
  });
  return [
    ...commandLine,
    ...inNode(node.folder, ['fetch', ...nodeLibraries]),
    ...inPython(python.folder, join(python.folder, 'bin/python'), ['urllib', ...pythonLibraries]),
    ...inJava(others.folder),
    ...inGo(others.folder),
  ];
}

const service = await RunningService.start();
const { api_key: key } = service.ready;
const fronts: Fronts[] = [];
try {
  const { id } = await service.client.upload((await drawing(52)).png, 'image/png');
  const { explanation } = await service.client.explain({ input: { upload: id }, method: 'grad-cam' });
  const { url, sha256 } = explanation.attributions[0]!.artifacts.overlay;

  const checkOf = (client: Client, host: string, front: Fronts): Check => ({
    consumer: `${client.name}, store at ${host}`,
    run: async () => {
      const fetched = await fetchBy(client, front, url, key).catch((error: Error) => {
        if (/ENOENT/.test(error.message)) throw new Skipped(`${client.program} is not installed`);
        throw error;
      });
      if (fetched.sha256 !== sha256) throw new Error(`expected the bytes of the picture, got others`);
      if (fetched.keys > 0) throw new Error(`the store saw the key`);
      return fetched.requests === 0 ? 'the bytes, from the gateway' : 'the bytes, by the redirect';
    },
  });

  const clients = await installedClients();
  for (const host of ['127.0.0.1', '127.0.0.2']) {
    const front = await startFronts(service.ready, host);
    fronts.push(front);
    for (const client of clients) await table.run(checkOf(client, host, front));
  }
} finally {
  for (const front of fronts) await front[Symbol.asyncDispose]();
  await service.remove();
  rmSync(home, { recursive: true, force: true });
}
console.log(table.text());
process.exitCode = table.failed ? 1 : 0;
