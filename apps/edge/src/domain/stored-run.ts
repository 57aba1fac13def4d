import { currentResult, type Look, ownLook, retention } from '@whylight/contract';
import type { Run, Submission, Waiter } from './run.ts';

type Recent =
  | 'claims'
  | 'crashes'
  | 'losses'
  | 'version'
  | 'owner'
  | 'keepUntil'
  | 'erased'
  | 'metered'
  | 'waiters'
  | 'accepted';

/** A waiter as an earlier release may have stored it, when two of its members had other names. */
type StoredWaiter = Pick<Waiter, 'via' | 'until'> &
  Partial<Waiter> & { readonly exit?: Waiter['outcome']; readonly told?: boolean };

/** A run as an earlier release may have stored it, when two of its members had other names. */
export type StoredRun = Omit<Run, Recent | 'submission'> &
  Partial<Pick<Run, Exclude<Recent, 'waiters'>>> & {
    readonly waiters?: Readonly<Record<string, StoredWaiter>>;
    readonly riders?: Readonly<Record<string, StoredWaiter>>;
    readonly taken?: boolean;
    readonly submission: Omit<Submission, 'look'> & Partial<Pick<Submission, 'look'>>;
  };

/** A stored run in the present form: members have their present names, and missing ones their defaults. */
export function upgradeRun({ riders = {}, waiters = riders, taken = false, ...stored }: StoredRun): Run {
  const { submission } = stored;
  // The language was part of the question once.
  const { language } = submission.question as { language?: Look['language'] };
  return {
    ...{ claims: [], crashes: 0, losses: 0, version: 0, owner: null, erased: false, metered: true },
    keepUntil: stored.createdAt + retention.usual * 1000,
    accepted: taken,
    ...stored,
    result: stored.result && currentResult(stored.result),
    waiters: Object.fromEntries(Object.entries(waiters).map(([id, waiter]) => [id, upgradeWaiter(waiter)])),
    submission: { look: ownLook(language), ...submission },
  };
}

const upgradeWaiter = ({ exit = null, told = false, ...stored }: StoredWaiter): Waiter => ({
  ...{ look: null, webhook: null, notified: told, outcome: exit },
  ...stored,
});
