import type { Run } from '../src/domain/run.ts';

/** A run as releases stored it that called its waiters riders. */
export function olderRun({ waiters, accepted: taken, ...run }: Run): object {
  const riders = Object.entries(waiters).map(
    ([id, { notified: told, outcome: exit, renderedAt: _, ...waiter }]) => [id, { ...waiter, told, exit }],
  );
  return { ...run, taken, riders: Object.fromEntries(riders) };
}
