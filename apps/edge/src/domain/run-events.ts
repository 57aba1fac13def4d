import type { Run } from './run.ts';
import { isTerminal } from './run.ts';
import { viewRun } from './waiters.ts';

/** One event of an explanation; `id` grows. */
export interface RunEvent {
  readonly id: number;
  readonly event: 'queued' | 'processing' | 'progress' | 'completed';
  readonly data: object;
}

export interface RunEvents {
  readonly events: readonly RunEvent[];
  /** Whether events between the reader's last one and these have been forgotten. */
  readonly gap: boolean;
  /** Whether no event will follow. */
  readonly done: boolean;
}

/**
 * The events of `waiter` after event `after` (null: only the present state). `past` are the states that the object
 * remembers, oldest first; the last one is the present state.
 */
export function eventsSince(past: readonly Run[], waiter: string, after: number | null): RunEvents {
  const events = past.map((run) => eventOf(viewRun(run, waiter)));
  const last = events.at(-1)!;
  const done = last.event === 'completed';
  if (after === last.id) return { events: [], gap: false, done };
  const first = events[0]!.id;
  if (after === null) return { events: [last], gap: false, done };
  if (after > last.id || after < first - 1) return { events: [last], gap: true, done };
  return { events: dropRepeated(events).filter(({ id }) => id > after), gap: false, done };
}

function eventOf(run: Run): RunEvent {
  const { version: id, status, error, progress } = run;
  if (isTerminal(run)) return { id, event: 'completed', data: { status, error } };
  if (status === 'queued') return { id, event: 'queued', data: { position: null } };
  return progress
    ? { id, event: 'progress', data: progress }
    : { id, event: 'processing', data: { started_at: new Date(run.startedAt ?? 0).toISOString() } };
}

/** Drops an event that equals the one before it: this reader cannot see what changed between them. */
const dropRepeated = (events: readonly RunEvent[]): RunEvent[] =>
  events.filter(({ event, data }, i) => {
    const before = events[i - 1];
    return before?.event !== event || JSON.stringify(before.data) !== JSON.stringify(data);
  });
