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

/**
 * The result of a check. `unsigned`: none of the secrets made the signature. `wrong_clock`: one of them did, but the caller's
 * clock is so many seconds ahead of ours; behind if they are negative.
 */
export type SignatureCheck =
  | { readonly outcome: 'valid' | 'unsigned' }
  | { readonly outcome: 'wrong_clock'; readonly seconds: number };

type Headers = { get(name: string): string | null | undefined };

/**
 * Checks whether `headers` sign `call` with one of the secrets: two are valid while one replaces the other. Compares in
 * constant time. Refuses timestamps that are too old or in the future. `now` is in unix seconds.
 */
export async function checkSignature(
  secrets: readonly string[],
  call: Call,
  headers: Headers,
  now: number,
): Promise<SignatureCheck> {
  const timestamp = headers.get(timestampHeader) ?? '';
  const signature = headers.get(signatureHeader) ?? '';
  if (!/^\d{1,12}$/.test(timestamp) || !/^[0-9a-f]{64}$/.test(signature)) return { outcome: 'unsigned' };
  const bytes = Uint8Array.from(signature.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const message = messageOf(call, timestamp);
  const matches = await Promise.all(
    secrets.map(async (secret) => crypto.subtle.verify('HMAC', await keyOf(secret), bytes, message)),
  );
  if (!matches.includes(true)) return { outcome: 'unsigned' };
  const seconds = Number(timestamp) - now;
  return Math.abs(seconds) > tolerance ? { outcome: 'wrong_clock', seconds } : { outcome: 'valid' };
}

/** Says whether `headers` sign `call` with this secret, and the clocks agree. */
export async function verify(secret: string, call: Call, headers: Headers, now: number): Promise<boolean> {
  return (await checkSignature([secret], call, headers, now)).outcome === 'valid';
}
