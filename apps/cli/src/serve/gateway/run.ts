/**
 * `node run.ts --bundle DIR --home DIR --port N --store-port N [--verbose]`: the gateway with its database, queues and object
 * store, in one workerd that Miniflare starts and starts again. `whylight serve` runs this in a process group of its own. Asked to
 * end by a signal, Miniflare ends workerd and this process.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stamp } from '../stamp.ts';
import { askEntry, startMiniflare } from './closed-miniflare.ts';
import { settingsFile } from './home.ts';
import type { Migration } from './migrations.ts';
import { migratingWorkers, readBundle, servedWorkers } from './options.ts';

const { values } = parseArgs({
  options: {
    bundle: { type: 'string', default: '' },
    // The folder of the settings and of Miniflare's entry; beside it is the state.
    home: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    'store-port': { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
});
const { port, verbose } = values;
const bundle = resolve(values.bundle);
process.chdir(values.home);
/** The folder that `wrangler dev --persist-to state` used, so that older data directories can be read. */
const state = resolve('../state/v3');

/** Times that workerd may die within a minute before this process gives up and ends. */
const allowed = 3;
const window = 60_000;

const deaths: number[] = [];
function workerdRestarted(): void {
  const now = performance.now();
  deaths.push(now);
  const recent = deaths.filter((at) => at > now - window).length;
  if (recent > allowed) fail(new Error(`workerd has crashed ${recent} times within a minute`));
}

function fail(error: unknown): never {
  console.error((error as Error).message ?? error);
  process.exit(1);
}

/** Brings the database up to date, before anything of the gateway runs. */
async function migrate(migrations: readonly Migration[]): Promise<void> {
  const miniflare = startMiniflare({ workers: await migratingWorkers(bundle), state, verbose });
  try {
    await miniflare.ready;
    const applied = JSON.parse(await askEntry(JSON.stringify(migrations))) as string[];
    if (verbose) console.log(`migrations: ${applied.length > 0 ? applied.join(', ') : 'none to apply'}`);
  } catch (error) {
    throw new Error(`migrating the database failed: ${(error as Error).message}`);
  } finally {
    // A Miniflare that has not started throws its error again.
    await miniflare.dispose().catch(() => {});
  }
}

async function readSettings(): Promise<Record<string, string>> {
  const lines = (await readFile(settingsFile, 'utf8')).split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

async function serve(): Promise<void> {
  const { migrations } = await readBundle(bundle);
  const digest = createHash('sha256').update(JSON.stringify(migrations)).digest('hex');
  await stamp('../migrated', digest, () => migrate(migrations));
  const settings = await readSettings();
  const ports = { port: Number(port), storePort: Number(values['store-port']) };
  const workers = await servedWorkers({ bundle, settings, ...ports });
  const miniflare = startMiniflare({ workers, state, verbose, onRestart: workerdRestarted });
  await miniflare.ready;
  if (verbose) console.log(`listening on port ${port}`);
  // A workerd that cannot be started again makes `ready` fail, and nothing else.
  setInterval(() => void miniflare.ready.catch(fail), 1000);
}

await serve().catch(fail);
