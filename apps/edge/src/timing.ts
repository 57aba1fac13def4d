import type { Context } from 'hono';
import type { AppEnv, Span } from './app-env.ts';

/** Does `work` and writes down how long it took, for Server-Timing and the log. Clocks here advance only at I/O. */
export async function measure<T>(c: Context<AppEnv>, span: Span, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  try {
    return await work();
  } finally {
    c.var.spans.push([span, Date.now() - start]);
  }
}

/** `auth;dur=3, cache;dur=12` */
export const serverTiming = (spans: readonly (readonly [Span, number])[]): string =>
  spans.map(([span, milliseconds]) => `${span};dur=${milliseconds}`).join(', ');
