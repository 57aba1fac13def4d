/** `node test/chaos/run.ts [--jobs 1000] [--seed 1] [--clients 12]`: see docs/how-to/operate.md. */
import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '12' },
  },
});
const tally = await chaos({
  jobs: Number(values.jobs),
  seed: Number(values.seed),
  clients: Number(values.clients),
  note: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(tally, null, 2)}\n`);
