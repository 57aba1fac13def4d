import { getOwn } from '@whylight/core/methods';
/** The limits of a tenant; the operator sets them. */
export interface Limits {
  /** Requests in any 60 seconds. */
  readonly requests: number;
  /** Computations that wait or run at a time. */
  readonly concurrency: number;
  /** Compute units in a day (UTC). */
  readonly compute_units: number;
  /** Batches at a time that have items waiting to begin. */
  readonly batches: number;
}

export const defaultLimits: Limits = {
  requests: 600,
  concurrency: 32,
  compute_units: 100_000,
  batches: 20,
};
/** Seconds of the window in which requests are counted. */
export const requestWindow = 60;
const day = 86_400;

export type Policy = 'requests' | 'concurrency' | 'compute' | 'batches';

export interface Usage {
  /** `2026-11-23`. */
  readonly date: string;
  readonly requests: number;
  readonly explanations: number;
  readonly compute_units: number;
}

export interface Meter {
  readonly limits: Limits;
  /** Requests by the second in which they came, oldest first. */
  readonly seconds: readonly { readonly second: number; readonly requests: number }[];
  /** Computations under way: what they will cost, and when they count as forgotten (unix milliseconds). */
  readonly open: Readonly<Record<string, { readonly units: number; readonly until: number }>>;
  /** Batches with items that wait, and when they count as forgotten. */
  readonly batches: Readonly<Record<string, number>>;
  readonly today: Usage;
}

/** A meter as an earlier release may have stored it. */
export type StoredMeter = Omit<Meter, 'limits' | 'batches'> &
  Partial<Pick<Meter, 'batches'>> & { readonly limits: Partial<Limits> };

/** Which limit a request exceeds, what it allows, and the seconds after which the request may succeed. */
export interface Excess {
  readonly policy: Policy;
  readonly limit: number;
  readonly seconds: number;
}

export const newMeter = (limits: Limits, now: number): Meter => ({
  limits,
  seconds: [],
  open: {},
  batches: {},
  today: newDay(now),
});

/** A stored meter in the present form: members that it lacks have their defaults. */
export const upgradeMeter = (stored: StoredMeter): Meter => ({
  batches: {},
  ...stored,
  limits: { ...defaultLimits, ...stored.limits },
});

/** The meter at `now`, without entries whose time is over. */
export function at(meter: Meter, now: number): Meter {
  // A second counts until its last millisecond is out of the window, so that no window ever holds more.
  const seconds = meter.seconds.filter(({ second }) => second + 1 + requestWindow > now / 1000);
  const open = Object.fromEntries(Object.entries(meter.open).filter(([, { until }]) => until > now));
  const batches = Object.fromEntries(Object.entries(meter.batches).filter(([, until]) => until > now));
  const today = meter.today.date === newDay(now).date ? meter.today : newDay(now);
  return { ...meter, seconds, open, batches, today };
}

/** Counts a request; the meter must be up to date. */
export function request(meter: Meter, now: number): Meter | Excess {
  if (requestsLeft(meter, now).remaining < 1)
    return {
      policy: 'requests',
      limit: meter.limits.requests,
      seconds: requestsLeft(meter, now).resets_in_seconds,
    };
  const second = Math.floor(now / 1000);
  const last = meter.seconds.at(-1);
  const seconds: Meter['seconds'] =
    last?.second === second
      ? [...meter.seconds.slice(0, -1), { second, requests: last.requests + 1 }]
      : [...meter.seconds, { second, requests: 1 }];
  return { ...meter, seconds, today: { ...meter.today, requests: meter.today.requests + 1 } };
}

/** Counts a computation as open, once. */
export function begin(meter: Meter, id: string, units: number, until: number, now: number): Meter | Excess {
  if (Object.hasOwn(meter.open, id)) return meter;
  if (Object.keys(meter.open).length >= meter.limits.concurrency)
    return { policy: 'concurrency', limit: meter.limits.concurrency, seconds: 1 };
  if (unitsUsed(meter) + units > meter.limits.compute_units)
    return { policy: 'compute', limit: meter.limits.compute_units, seconds: secondsOfDay(now) };
  return { ...meter, open: { ...meter.open, [id]: { units, until } } };
}

/** Closes a computation, which cost `units`; closing it twice costs nothing. */
export function end(meter: Meter, id: string, units: number): Meter {
  const ended = getOwn(meter.open, id);
  if (!ended) return meter;
  const open = without(meter.open, id);
  const { explanations, compute_units } = meter.today;
  const today = {
    ...meter.today,
    explanations: explanations + 1,
    compute_units: compute_units + Math.min(units, ended.units),
  };
  return { ...meter, open, today };
}

/** Frees the place of a computation that another one takes over: it counts as none. */
export const release = (meter: Meter, id: string): Meter => ({ ...meter, open: without(meter.open, id) });

/** Counts a batch as waiting, once. */
export function beginBatch(meter: Meter, id: string, until: number): Meter | Excess {
  if (Object.hasOwn(meter.batches, id)) return meter;
  if (Object.keys(meter.batches).length >= meter.limits.batches)
    return { policy: 'batches', limit: meter.limits.batches, seconds: 1 };
  return { ...meter, batches: { ...meter.batches, [id]: until } };
}

/** Counts a batch as no longer waiting. */
export function endBatch(meter: Meter, id: string): Meter {
  return { ...meter, batches: without(meter.batches, id) };
}

const without = <T>(record: Readonly<Record<string, T>>, id: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== id));

/** Gives the number of requests left, and the seconds until there are more. */
export function requestsLeft(
  { limits, seconds }: Meter,
  now: number,
): { remaining: number; resets_in_seconds: number } {
  const used = seconds.reduce((sum, { requests }) => sum + requests, 0);
  const oldest = seconds[0]?.second ?? Math.floor(now / 1000);
  return {
    remaining: Math.max(0, limits.requests - used),
    resets_in_seconds: Math.max(1, Math.ceil(oldest + 1 + requestWindow - now / 1000)),
  };
}

/** The compute units spent today, and those reserved for open computations. */
export const unitsUsed = ({ today, open }: Meter): number =>
  Object.values(open).reduce((sum, { units }) => sum + units, today.compute_units);

export const secondsOfDay = (now: number): number => Math.ceil(day - ((now / 1000) % day));

const newDay = (now: number): Usage => ({
  date: new Date(now).toISOString().slice(0, 10),
  requests: 0,
  explanations: 0,
  compute_units: 0,
});
