import { ownStyle } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import type { Submission } from './run.ts';
import { type StoredRun, upgradeRun } from './stored-run.ts';
import { beginRun } from './transitions.ts';
import { addWaiter, cancelWaiter, markNotified } from './waiters.ts';

const submission = { key: 'a', style: ownStyle(), question: {} } as unknown as Submission;
const request = (id: string) => ({ id, until: 5, style: ownStyle('zh'), keepUntil: 7, webhook: 'whk_a' });
const two = addWaiter(
  addWaiter(beginRun(null, submission, 0), request('exp_a'), 'miss'),
  request('exp_b'),
  'miss',
);
const run = { ...markNotified(cancelWaiter(two, 'exp_a', 3), ['exp_a']), accepted: true };

describe('a stored run', () => {
  test('of this release is read as it is', () => expect(upgradeRun(run)).toEqual(run));

  test('of the release before has its waiters, their outcomes, styles and its worker under other names', () => {
    const { waiters, accepted, ...rest } = run;
    const riders = Object.entries(waiters).map(
      ([id, { outcome: exit, notified: told, style: look, renderedAt: _, ...waiter }]) => [
        id,
        { ...waiter, exit, told, look },
      ],
    );
    const { style: look, ...submitted } = run.submission;
    const older: StoredRun = {
      ...rest,
      submission: { ...submitted, look },
      taken: accepted,
      riders: Object.fromEntries(riders),
    };
    expect(upgradeRun(older)).toEqual(run);
  });

  test('of an earlier release has none of what it did not know', () => {
    const { waiters: _, claims: __, owner: ___, metered: ____, accepted: _____, ...later } = run;
    const { checkpoint: ______, mostDone: _______, idleHandBacks: ________, ...older } = later;
    const riders = { exp_a: { via: 'miss', until: null, exit: null } } as const;
    expect(upgradeRun({ ...older, riders })).toMatchObject({
      waiters: {
        exp_a: { via: 'miss', until: null, style: null, webhook: null, notified: false, outcome: null },
      },
      ...{ claims: [], owner: null, metered: true, accepted: false },
      ...{ checkpoint: null, mostDone: 0, idleHandBacks: 0 },
    });
  });
});
