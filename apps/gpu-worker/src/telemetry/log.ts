/** Writes one JSON line. Fields are ours to choose: no secrets, no URLs with a query, no image bytes. */
export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

export const logTo =
  (write: (line: string) => void): Log =>
  (event, fields = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
