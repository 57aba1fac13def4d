import { expect, test } from 'vitest';
import { chaos } from './chaos.ts';
import { startOneWorker } from './one-worker.ts';

/** Takes minutes: only where it is asked for. */
const asked = process.env.WHYLIGHT_CHAOS === '1';

test.skipIf(!asked)(
  'F4: whatever is killed, every accepted job ends once, is billed once, and stays with its tenant',
  { timeout: 15 * 60_000 },
  async () => {
    const tally = await chaos({ start: startOneWorker, jobs: 80, seed: 7, clients: 6, note: () => {} });
    expect(tally).toMatchObject({ lost: 0, doubled: 0, crossTenant: 0, damaged: 0, open: 0, wrong: [] });
    for (const { computed, units } of tally.bills) {
      // What was given up or failed was begun too; it costs only what was done of it.
      expect(computed[0]).toBeGreaterThanOrEqual(computed[1]);
      expect(units[0]).toBe(units[1]);
    }
  },
);
