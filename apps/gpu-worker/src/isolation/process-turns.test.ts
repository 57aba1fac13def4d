import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Pausable, ProcessTurns } from './process-turns.ts';

/** A process that says whether it runs; nothing but the test gives turns. */
class Recorded implements Pausable {
  runs = true;
  pause() {
    expect(this.runs).toBe(true);
    this.runs = false;
  }
  resume() {
    expect(this.runs).toBe(false);
    this.runs = true;
  }
}

const noTimer = 2 ** 30;

/** Begins work in a process. @returns how to end it */
function begin(
  turns: ProcessTurns,
  tenant: string,
  process: Pausable | null = new Recorded(),
  signal?: AbortSignal,
) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = turns.during(tenant, process, () => promise, signal);
  return () => {
    resolve();
    return done;
  };
}

test('L8: while another tenant has work, a tenant’s processes run one at a time, each as often as the others', () => {
  const turns = new ProcessTurns(noTimer);
  const [quiet, ...noisy] = [0, 1, 2, 3].map(() => new Recorded());
  for (const process of noisy) begin(turns, 'noisy', process);
  expect(noisy.every(({ runs }) => runs)).toBe(true);
  begin(turns, 'quiet', quiet);
  const counts = noisy.map(() => 0);
  for (let turn = 0; turn < 12; turn++) {
    expect([quiet!.runs, noisy.filter(({ runs }) => runs).length]).toEqual([true, 1]);
    counts[noisy.findIndex(({ runs }) => runs)]! += 1;
    turns.next();
  }
  expect(counts).toEqual([4, 4, 4]);
});

test('L8: a tenant who is alone again has all its processes', async () => {
  const turns = new ProcessTurns(noTimer);
  const noisy = [new Recorded(), new Recorded()];
  const ends = noisy.map((process) => begin(turns, 'noisy', process));
  const endQuiet = begin(turns, 'quiet');
  expect(noisy.map(({ runs }) => runs)).toEqual([true, false]);
  await endQuiet();
  expect(noisy.map(({ runs }) => runs)).toEqual([true, true]);
  await Promise.all(ends.map((end) => end()));
});

test('L8: what a tenant does in the worker itself is one of its places', async () => {
  const turns = new ProcessTurns(noTimer);
  const process = new Recorded();
  begin(turns, 'noisy', process);
  const endRendering = begin(turns, 'noisy', null);
  begin(turns, 'quiet', null);
  const runs: boolean[] = [];
  for (let turn = 0; turn < 4; turn++) {
    runs.push(process.runs);
    turns.next();
  }
  expect(runs).toEqual([true, false, true, false]);
  turns.next();
  expect(process.runs).toBe(false);
  await endRendering();
  expect(process.runs).toBe(true);
});

test('L8: what a tenant would begin in the worker waits while it is the turn of one of its processes', async () => {
  const turns = new ProcessTurns(noTimer);
  const begun: string[] = [];
  begin(turns, 'noisy', new Recorded());
  const endQuiet = begin(turns, 'quiet', new Recorded());
  const render = (name: string) => turns.during('noisy', null, async () => begun.push(name));
  const [first, second] = [render('first'), render('second')];
  await setImmediate();
  expect(begun).toEqual([]);
  turns.next();
  await Promise.all([first, second]);
  expect(begun).toEqual(['first', 'second']);
  const third = render('third');
  await setImmediate();
  expect(begun).toHaveLength(2);
  // Nobody else has work any more.
  await endQuiet();
  await third;
});

test('L8: work of the worker itself whose time is over begins at once, so that it can end', async () => {
  const turns = new ProcessTurns(noTimer);
  begin(turns, 'noisy', new Recorded());
  begin(turns, 'quiet', new Recorded());
  const late = new AbortController();
  const rendering = turns.during('noisy', null, async () => late.signal.aborted, late.signal);
  late.abort();
  expect(await rendering).toBe(true);
});

test('a process whose work nobody wants any more is not paused: it has little time to end', async () => {
  const turns = new ProcessTurns(noTimer);
  const [first, second] = [new Recorded(), new Recorded()];
  begin(turns, 'noisy', first);
  const stop = new AbortController();
  const end = begin(turns, 'noisy', second, stop.signal);
  begin(turns, 'noisy', second);
  begin(turns, 'quiet');
  expect(second.runs).toBe(false);
  stop.abort();
  expect(second.runs).toBe(true);
  turns.next();
  turns.next();
  expect(second.runs).toBe(true);
  await end();
  expect(second.runs).toBe(false);
});

test('L8: whatever comes and goes, nobody’s only process is paused, and what is done is not left paused', async () => {
  const step = fc.oneof(
    fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), process: fc.nat(2) }),
    fc.record({ end: fc.nat(9) }),
    fc.constant('next' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const turns = new ProcessTurns(noTimer);
      const processes = new Map<string, Recorded>();
      const work: { tenant: string; process: Recorded; end: () => Promise<void> }[] = [];
      for (const each of [...steps, ...Array.from({ length: 40 }, () => ({ end: 0 }))]) {
        if (each === 'next') turns.next();
        else if ('end' in each) await work.splice(each.end % (work.length || 1), 1)[0]?.end();
        else {
          const key = `${each.tenant}${each.process}`;
          const process = processes.get(key) ?? new Recorded();
          processes.set(key, process);
          work.push({ tenant: each.tenant, process, end: begin(turns, each.tenant, process) });
        }
        const tenants = Map.groupBy(work, ({ tenant }) => tenant);
        for (const [, own] of tenants) {
          const used = [...new Set(own.map(({ process }) => process))];
          const running = used.filter(({ runs }) => runs).length;
          expect(running).toBe(tenants.size > 1 ? 1 : used.length);
        }
      }
      expect([...processes.values()].every(({ runs }) => runs)).toBe(true);
    }),
  );
});
