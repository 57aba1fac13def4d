import { hex } from './digest.ts';

/** A place in a trace that spans gateway, queue and worker (W3C Trace Context). */
export interface TraceContext {
  /** 32 and 16 lower-case hex digits. */
  readonly traceId: string;
  readonly spanId: string;
}

/** Reads a `traceparent` header. Starts a new trace if there is no header or if it is invalid. */
export function traceOf(header: string | null | undefined): TraceContext {
  const [, version, traceId = '', spanId = ''] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(header ?? '') ?? [];
  const valid =
    version !== undefined && version !== 'ff' && /[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId);
  return valid ? { traceId, spanId } : { traceId: random(16), spanId: random(8) };
}

/** Starts a span below `parent`, in the same trace. */
export const childOf = ({ traceId }: TraceContext): TraceContext => ({ traceId, spanId: random(8) });

/** Formats a context as a `traceparent` header. It is always sampled. */
export const traceparent = ({ traceId, spanId }: TraceContext): string => `00-${traceId}-${spanId}-01`;

const random = (bytes: number): string => hex(crypto.getRandomValues(new Uint8Array(bytes)));
