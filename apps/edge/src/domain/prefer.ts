/** Longest that a request may wait for a result, in seconds. */
export const longestWait = 60;

/** Seconds of `Prefer: wait=n` (RFC 7240), at most 60; null where absent or not understood. */
export function preferredWait(header: string | undefined): number | null {
  for (const preference of (header ?? '').split(',')) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?$/i.exec(preference) ?? [];
    if (seconds !== undefined) return Math.min(Number(seconds), longestWait);
  }
  return null;
}
