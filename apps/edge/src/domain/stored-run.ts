import { currentResult, ownStyle, retention, type Style } from '@whylight/contract';
import type { Run, Submission, Waiter } from './run.ts';

type Recent =
  | 'checkpoint'
  | 'claims'
  | 'crashes'
  | 'idleHandBacks'
  | 'losses'
  | 'mostDone'
  | 'version'
  | 'owner'
  | 'keepUntil'
  | 'erased'
  | 'metered'
  | 'waiters'
  | 'accepted';

/** A waiter as an earlier release may have stored it, when some of its members had other names. */
type StoredWaiter = Pick<Waiter, 'via' | 'until'> &
  Partial<Waiter> & {
    readonly exit?: Waiter['outcome'];
    readonly told?: boolean;
    readonly look?: Waiter['style'];
  };

/** A run as an earlier release may have stored it, when some of its members had other names. */
export type StoredRun = Omit<Run, Recent | 'submission'> &
  Partial<Pick<Run, Exclude<Recent, 'waiters'>>> & {
    readonly waiters?: Readonly<Record<string, StoredWaiter>>;
    readonly riders?: Readonly<Record<string, StoredWaiter>>;
    readonly taken?: boolean;
    readonly submission: Omit<Submission, 'style'> & { readonly style?: Style; readonly look?: Style };
  };

/** A stored run in the present form: members have their present names, and missing ones their defaults. */
export function upgradeRun({ riders = {}, waiters = riders, taken = false, ...stored }: StoredRun): Run {
  const { look, style = look, ...submission } = stored.submission;
  // The language was part of the question once.
  const { language } = submission.question as { language?: Style['language'] };
  return {
    ...{ claims: [], crashes: 0, losses: 0, version: 0, owner: null, erased: false, metered: true },
    ...{ idleHandBacks: 0, mostDone: 0, checkpoint: null },
    keepUntil: stored.createdAt + retention.usual * 1000,
    accepted: taken,
    ...stored,
    result: stored.result && currentResult(stored.result),
    waiters: Object.fromEntries(
      Object.entries(waiters).map(([id, waiter]) => [id, upgradeWaiter(waiter, stored.completedAt)]),
    ),
    submission: { ...submission, style: style ?? ownStyle(language) },
  };
}

/** Earlier releases ended a run only when there were pictures for all who waited. */
const upgradeWaiter = (
  { exit = null, told = false, look = null, ...stored }: StoredWaiter,
  renderedAt: number | null,
): Waiter => ({
  ...{ style: look, renderedAt, webhook: null, notified: told, outcome: exit },
  ...stored,
});
