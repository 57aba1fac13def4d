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
 * Seconds by which the two clocks may differ. This is more than the error of an unattended clock. It may be this much because
 * a repeated call does no harm: attempt, lease and nonce identify jobs, claims and reports.
 */
export const tolerance = 900;

interface Call {
  readonly direction: Direction;
  readonly method: string;
  /** Path with its query, as it was sent. */
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

/** Returns the headers that sign `call`. `now` is in unix seconds. */
export async function sign(secret: string, call: Call, now: number): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now));
  const mac = await crypto.subtle.sign('HMAC', await keyOf(secret), messageOf(call, timestamp));
  return { [timestampHeader]: timestamp, [signatureHeader]: hex(mac) };
}

/** Says whether `headers` sign `call`. Compares in constant time and refuses timestamps that are too old or in the future. */
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
