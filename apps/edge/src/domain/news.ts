import type { Run } from './flight.ts';
import { isTerminal } from './flight.ts';
import { seenBy } from './riders.ts';

/** One thing that happened to an explanation; `id` grows. */
export interface RunEvent {
  readonly id: number;
  readonly event: 'queued' | 'processing' | 'progress' | 'completed';
  readonly data: object;
}

export interface News {
  readonly events: readonly RunEvent[];
  /** Whether something between the reader's last event and these is no longer known. */
  readonly gap: boolean;
  /** Whether nothing will follow. */
  readonly done: boolean;
}

/**
 * What happened to `rider` after event `after` (null: just how it stands). `past` are the states that are
 * remembered, oldest first, and end with the present one.
 */
export function newsSince(past: readonly Run[], rider: string, after: number | null): News {
  const events = past.map((run) => eventOf(seenBy(run, rider)));
  const last = events.at(-1)!;
  const done = last.event === 'completed';
  if (after === last.id) return { events: [], gap: false, done };
  const first = events[0]!.id;
  if (after === null) return { events: [last], gap: false, done };
  if (after > last.id || after < first - 1) return { events: [last], gap: true, done };
  return { events: distinct(events).filter(({ id }) => id > after), gap: false, done };
}

function eventOf(run: Run): RunEvent {
  const { version: id, status, error, progress } = run;
  if (isTerminal(run)) return { id, event: 'completed', data: { status, error } };
  if (status === 'queued') return { id, event: 'queued', data: { position: null } };
  return progress
    ? { id, event: 'progress', data: progress }
    : { id, event: 'processing', data: { started_at: new Date(run.startedAt ?? 0).toISOString() } };
}

/** Without those that say the same as the one before: a change that this reader cannot see. */
const distinct = (events: readonly RunEvent[]): RunEvent[] =>
  events.filter(({ event, data }, i) => {
    const before = events[i - 1];
    return before?.event !== event || JSON.stringify(before.data) !== JSON.stringify(data);
  });
