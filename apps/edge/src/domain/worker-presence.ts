import { clockFault, type Presence, reportPeriod, workerPaths } from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';

/** Why a worker cannot serve the gateway. */
export interface WorkerFault {
  readonly code: 'wrong_clock' | 'other_contract' | 'other_numerics';
  /** A sentence for who operates the service. */
  readonly message: string;
}

/** What the gateway knows of a worker that reports its presence. */
export interface KnownWorker extends Pick<Presence, 'worker' | 'release' | 'state'> {
  readonly fault: WorkerFault | null;
  /** Digest of its catalogue; null while it loads its models. */
  readonly catalog: string | null;
  /** Until when its present report counts (unix milliseconds): the gateway holds it until then. */
  readonly reportedUntil: number;
}

/** Seconds by which a worker's clock may differ from the gateway's. */
export const longestSkew = 600;
/** Reports that a worker may miss before the gateway forgets it. */
export const mostMissed = 2;

/**
 * The worker after `presence`. The clock is checked here too, because a signature allows more than a worker may differ: the
 * store refuses calls by such a clock, and tokens and logs of such a worker mislead.
 */
export const workerOf = (presence: Presence, now: number): KnownWorker => ({
  worker: presence.worker,
  release: presence.release,
  state: presence.state,
  fault: findFault(presence, now),
  catalog: presence.catalog?.digest ?? null,
  reportedUntil: now + presence.wait * 1000,
});

function findFault(
  { clock, contract, numerics_version, release }: Presence,
  now: number,
): WorkerFault | null {
  const seconds = (clock - now) / 1000;
  if (Math.abs(seconds) > longestSkew) return { code: 'wrong_clock', message: clockFault(seconds) };
  const worker = `this worker of release ${release}`;
  if (contract !== workerPaths.jobs)
    return {
      code: 'other_contract',
      message: `${worker} takes jobs at ${contract}, the gateway sends them to ${workerPaths.jobs}: deploy the same release of both`,
    };
  if (numerics_version !== numericsVersion)
    return {
      code: 'other_numerics',
      message: `${worker} has numerics version ${numerics_version}, the gateway ${numericsVersion}: deploy the same release of both`,
    };
  return null;
}

/** Whether the worker still reports: it has missed no more reports than it may. */
export const isPresent = ({ reportedUntil }: KnownWorker, now: number): boolean =>
  now <= reportedUntil + (mostMissed + 1) * reportPeriod * 1000;

/** Whether the worker takes jobs. */
export const isReady = ({ state, fault }: KnownWorker): boolean => state === 'ready' && fault === null;

/** Whether the two say the same of a worker, apart from when it reported and by how many seconds its clock differs. */
export const isSame = (a: KnownWorker, b: KnownWorker): boolean =>
  a.release === b.release &&
  a.state === b.state &&
  a.catalog === b.catalog &&
  a.fault?.code === b.fault?.code;
