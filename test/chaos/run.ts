/** `node test/chaos/run.ts [--jobs 1000] [--seed 1] [--clients 12] [--workers 1|3]`: see docs/how-to/operate.md. */
import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';
import { startOneWorker } from './one-worker.ts';
import { startThreeWorkers } from './three-workers.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '12' },
    workers: { type: 'string', default: '1' },
  },
});
const starts: Record<string, typeof startOneWorker> = { 1: startOneWorker, 3: startThreeWorkers };
const start = starts[values.workers];
if (!start) throw new Error(`--workers: expected 1 or 3, got ${values.workers}`);
const tally = await chaos({
  start,
  jobs: Number(values.jobs),
  seed: Number(values.seed),
  clients: Number(values.clients),
  note: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(tally, null, 2)}\n`);
