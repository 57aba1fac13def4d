import { hex } from './digest.ts';

/**
 * Calls between gateway and worker carry `Whylight-Timestamp` (unix seconds) and `Whylight-Signature`:
 *
 *     hex(HMAC-SHA-256(secret, direction \n timestamp \n METHOD \n path?query \n body))
 *
 * The direction is part of the message, so that a captured call cannot be sent back where it came from.
 */
export type Direction = 'gateway-to-worker' | 'worker-to-gateway';
export const timestampHeader = 'Whylight-Timestamp';
export const signatureHeader = 'Whylight-Signature';
/**
 * Seconds that the two clocks may differ: more than a clock that nobody minds is off. It may be this much because a call
 * that is made twice is harmless: jobs are told by attempt, claims and reports by attempt, lease and nonce.
 */
export const tolerance = 900;

interface Call {
  readonly direction: Direction;
  readonly method: string;
  /** Path with its query, as it is on the wire. */
  readonly path: string;
  readonly body: string;
}

const encoder = new TextEncoder();

const keyOf = (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);

const messageOf = ({ direction, method, path, body }: Call, timestamp: string): Uint8Array<ArrayBuffer> =>
  encoder.encode([direction, timestamp, method.toUpperCase(), path, body].join('\n')).slice();

/** Headers that sign `call`. `now` is unix seconds. */
export async function sign(secret: string, call: Call, now: number): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now));
  const mac = await crypto.subtle.sign('HMAC', await keyOf(secret), messageOf(call, timestamp));
  return { [timestampHeader]: timestamp, [signatureHeader]: hex(mac) };
}

/** Whether `headers` sign `call`; compares in constant time and refuses old or future timestamps. */
export async function verify(
  secret: string,
  call: Call,
  headers: { get(name: string): string | null | undefined },
  now: number,
): Promise<boolean> {
  const timestamp = headers.get(timestampHeader) ?? '';
  const signature = headers.get(signatureHeader) ?? '';
  if (!/^\d{1,12}$/.test(timestamp) || !/^[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(now - Number(timestamp)) > tolerance) return false;
  const bytes = Uint8Array.from(signature.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify('HMAC', await keyOf(secret), bytes, messageOf(call, timestamp));
}
