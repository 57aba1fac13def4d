import { deferred } from '@whylight/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Budget } from './budget.ts';
import { FairQueue, type FairQueueOptions, leavePlaces, type Ticket } from './fair-queue.ts';
import { KeyedSlots } from './keyed-slots.ts';

interface Tracked<C> {
  readonly owner: string;
  readonly claim: C;
  readonly ticket: Ticket;
  state: 'waiting' | 'running' | 'ended';
}

/** A queue whose tasks are followed one by one; `onStart` sees each task as it starts. */
function followed<C>(
  options: FairQueueOptions<C>,
  onStart: (task: Tracked<C>, all: readonly Tracked<C>[]) => void = () => {},
) {
  const queue = new FairQueue(options);
  const tasks: Tracked<C>[] = [];
  const faults: unknown[] = [];
  /** Lets tasks start, one after the other. @throws what `onStart` threw */
  const settle = async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (faults.length > 0) throw faults[0];
  };
  const add = async (owner: string, claim: C) => {
    const task: Tracked<C> = { owner, claim, ticket: queue.enter({ owner, claim }), state: 'waiting' };
    tasks.push(task);
    void task.ticket.started
      .then(() => {
        onStart(task, tasks);
        task.state = 'running';
      })
      .catch((fault: unknown) => faults.push(fault));
    await settle();
  };
  /** Ends one of the tasks that run or wait, the `pick`-th of those in that state. */
  const end = async (pick: number, state: Tracked<C>['state'] = 'running') => {
    const some = tasks.filter((task) => task.state === state);
    const task = some[pick % some.length];
    if (!task) return;
    task.state = 'ended';
    task.ticket.end();
    await settle();
  };
  const endAll = async () => {
    while (tasks.some(({ state }) => state === 'running')) await end(0);
  };
  return { queue, tasks, add, end, endAll };
}

/** What happens to a queue: a task comes, one that runs ends, or one that waits gives up. */
const steps = <C>(claim: fc.Arbitrary<C>, minLength = 0, maxLength = 30) =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ owner: fc.constantFrom('a', 'b', 'c', 'd'), claim }) },
      { weight: 2, arbitrary: fc.record({ end: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.record({ giveUp: fc.nat(9) }) },
    ),
    { minLength, maxLength },
  );

async function play<C>(
  { add, end }: Pick<ReturnType<typeof followed<C>>, 'add' | 'end'>,
  all: readonly ({ owner: string; claim: C } | { end: number } | { giveUp: number })[],
  owner?: string,
) {
  for (const step of all) {
    if ('owner' in step) await add(owner ?? step.owner, step.claim);
    else if ('end' in step) await end(step.end);
    else await end(step.giveUp, 'waiting');
  }
}

const runs = { numRuns: 100 };

test('the tasks that run never claim more than the budget, and every task that stays gets its turn', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      steps(fc.integer({ min: 0, max: 9 })),
      async (units, all) => {
        const run = followed({ capacity: new Budget(units) }, (task, tasks) => {
          const running = [task, ...tasks.filter(({ state }) => state === 'running')];
          const claimed = running.reduce((sum, { claim }) => sum + Math.min(claim, units), 0);
          expect(claimed).toBeLessThanOrEqual(units);
        });
        await play(run, all);
        await run.endAll();
        expect(run.tasks.every(({ state }) => state === 'ended')).toBe(true);
        expect([run.queue.waiting, run.queue.running]).toEqual([0, 0]);
      },
    ),
    runs,
  );
});

test('never are more things in use than there are slots', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      steps(fc.constantFrom('x', 'y', 'z', 'w')),
      async (slots, all) => {
        const run = followed({ capacity: new KeyedSlots(slots) }, (task, tasks) => {
          const running = [task, ...tasks.filter(({ state }) => state === 'running')];
          expect(new Set(running.map(({ claim }) => claim)).size).toBeLessThanOrEqual(slots);
        });
        await play(run, all);
        await run.endAll();
        expect(run.tasks.every(({ state }) => state === 'ended')).toBe(true);
      },
    ),
    runs,
  );
});

test('one owner’s tasks start in the order in which they came, whatever each claims', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      steps(fc.integer({ min: 0, max: 9 })),
      async (units, all) => {
        const run = followed({ capacity: new Budget(units) }, (task, tasks) => {
          const before = tasks.slice(0, tasks.indexOf(task));
          expect(before.filter(({ state }) => state === 'waiting')).toEqual([]);
        });
        await play(run, all, 'only');
        await run.endAll();
      },
    ),
    runs,
  );
});

test('F8: while an owner waits who has nothing running, each other owner starts one task at most', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps(fc.constant(1)), async (units, all) => {
      /** What other owners have started since this owner began to wait. */
      const overtaken = new Map<string, string[]>();
      const run = followed({ capacity: new Budget(units) }, ({ owner }, tasks) => {
        overtaken.delete(owner);
        const idle = new Set(tasks.filter(({ state }) => state === 'waiting').map((task) => task.owner));
        for (const { owner: busy, state } of tasks) if (state === 'running') idle.delete(busy);
        idle.delete(owner);
        for (const known of overtaken.keys()) if (!idle.has(known)) overtaken.delete(known);
        for (const waiting of idle) {
          const others = [...(overtaken.get(waiting) ?? []), owner];
          expect(new Set(others).size).toBe(others.length);
          overtaken.set(waiting, others);
        }
      });
      await play(run, all);
      await run.endAll();
    }),
    runs,
  );
});

describe('leavePlaces', () => {
  test('L8: an owner who holds a place never takes the last one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 2, 9),
        steps(fc.constant(1)),
        async (places, greed, all) => {
          const mayStart = leavePlaces(places, greed);
          const run = followed({ capacity: new Budget(places), mayStart }, ({ owner }, tasks) => {
            const running = tasks.filter(({ state }) => state === 'running');
            if (running.length === places - 1) expect(running.map((task) => task.owner)).not.toContain(owner);
          });
          await play(run, all);
          await run.endAll();
          expect(run.tasks.every(({ state }) => state === 'ended')).toBe(true);
        },
      ),
      runs,
    );
  });

  test('F8: one owner alone gets its part of the places, to start and to wait, and the next finds one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 2, max: 12 }),
        fc.constantFrom(1, 2),
        async (concurrency, limit, greed) => {
          const { queue, add } = followed({
            capacity: new Budget(concurrency),
            mayStart: leavePlaces(concurrency, greed),
            mayWait: leavePlaces(limit, greed),
          });
          const task = (owner: string) => ({ owner, claim: 1 });
          while (queue.hasRoomFor(task('greedy'))) await add('greedy', 1);
          // Of two places one is the last, which is kept for the next owner.
          const part = (places: number) => Math.min(Math.ceil((greed * places) / (greed + 1)), places - 1);
          expect(queue.running).toBe(part(concurrency));
          expect(queue.waiting).toBe(part(limit));
          expect(queue.hasRoomFor(task('modest'))).toBe(queue.running < concurrency || queue.waiting < limit);
        },
      ),
      runs,
    );
  });
});

test('L8: while k owners wait, each starts one task in k turns', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps(fc.constant(1), 60, 100), async (units, all) => {
      /** What other owners have started since this owner had its last turn, or began to wait, and its tasks that waited then. */
      const passed = new Map<string, { others: readonly string[]; tasks: readonly Tracked<number>[] }>();
      const run = followed<number>({ capacity: new Budget(units) }, (started, all) => {
        passed.delete(started.owner);
        for (const owner of new Set(all.map((task) => task.owner))) {
          const tasks = all.filter(
            (task) => task.owner === owner && task.state === 'waiting' && task !== started,
          );
          if (owner === started.owner || tasks.length === 0) continue;
          const before = passed.get(owner);
          const stayed = before?.tasks.some(({ state }) => state === 'waiting');
          const others = [...(stayed ? before!.others : []), started.owner];
          expect(new Set(others).size).toBe(others.length);
          passed.set(owner, { others, tasks });
        }
      });
      await play(run, all);
      await run.endAll();
    }),
    runs,
  );
});

test('L8: an owner with a long task has turns for its next one, beside others whose tasks are short', async () => {
  const started: string[] = [];
  const run = followed<number>({ capacity: new Budget(2) }, ({ owner }) => started.push(owner));
  await run.add('long', 1);
  await run.add('b', 1);
  for (const owner of ['long', 'b', 'c', 'b', 'c', 'b', 'c']) await run.add(owner, 1);
  // The task that has run longest goes on.
  for (let turn = 0; turn < 6; turn++) await run.end(1);
  expect(started.slice(2, 5).toSorted()).toEqual(['b', 'c', 'long']);
});

test('L8: owners who wait all the time get the same, to one turn and one task, whatever their tasks cost', async () => {
  const costs = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 8, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(costs, { minLength: 2, maxLength: 4 }), async (owners) => {
      const queue = new FairQueue({ capacity: new Budget(1) });
      const gate = deferred<void>();
      const first = queue.run({ owner: 'before', claim: 1 }, () => gate.promise);
      const [served, left] = [owners.map(() => 0), owners.map((tasks) => tasks.length)];
      const all = owners.flatMap((tasks, owner) =>
        tasks.map((cost) =>
          queue.run({ owner: `${owner}`, claim: 1, cost }, async () => {
            served[owner]! += cost;
            left[owner]! -= 1;
            if (left.every((count) => count > 0))
              expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1 + 9);
          }),
        ),
      );
      gate.resolve();
      await Promise.all([first, ...all]);
    }),
    runs,
  );
});

test('a task that hurries starts before all others, whatever its owner has running', async () => {
  const started: number[] = [];
  const run = followed({ capacity: new Budget(2), mayStart: (own) => own < 1 }, ({ claim }) =>
    started.push(claim),
  );
  await run.add('greedy', 1);
  await run.add('greedy', 1.25);
  await run.add('greedy', 0.5);
  await run.add('modest', 0.75);
  expect(started).toEqual([1, 0.75]);
  run.tasks[2]!.ticket.hurry();
  await run.end(1);
  expect(started).toEqual([1, 0.75, 0.5]);
});

test('work that is aborted while it waits never starts, and listens to its signal no longer', async () => {
  const queue = new FairQueue({ capacity: new Budget(1) });
  const task = { owner: 'a', claim: 1 };
  const first = deferred<string>();
  const running = queue.run(task, () => first.promise);
  const impatient = new AbortController();
  const started: string[] = [];
  const work = async () => void started.push('given up');
  const given = queue.run(task, work, impatient.signal);
  impatient.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await expect(queue.run(task, work, impatient.signal)).rejects.toThrow('enough');
  first.resolve('done');
  expect(await running).toBe('done');
  expect([started, queue.running, queue.waiting]).toEqual([[], 0, 0]);
});
