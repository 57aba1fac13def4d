import { WhylightError } from './whylight-error.ts';

const tolerance = 300;

/** The request is not a valid webhook of the service. */
export class WebhookError extends WhylightError {
  override readonly name = 'WebhookError';

  constructor(message: string) {
    super(message, { code: 'invalid_webhook', retryable: false });
  }
}

/**
 * Verifies a webhook and returns its parsed body. One of the secrets must have signed it at most five minutes ago; during a
 * rotation there are two secrets. Each delivery of one event has the same `webhook-id` in its headers, so that you can ignore
 * a repeated one.
 *
 *     signature = "v1," + base64(HMAC-SHA-256(secret, id "." timestamp "." body))
 *
 * @param body the body as it arrived, not parsed and serialised again
 * @throws WebhookError
 * @see https://www.standardwebhooks.com
 */
export async function verifyWebhook(
  body: string,
  headers: { get(name: string): string | null | undefined },
  secrets: string | readonly string[],
  now: number = Date.now() / 1000,
): Promise<unknown> {
  const id = headers.get('webhook-id') ?? '';
  const timestamp = headers.get('webhook-timestamp') ?? '';
  if (id === '' || !/^\d{1,12}$/.test(timestamp))
    throw new WebhookError(
      'The webhook has no signature: expected the headers webhook-id and webhook-timestamp.',
    );
  if (Math.abs(now - Number(timestamp)) > tolerance)
    throw new WebhookError('The webhook was signed more than five minutes ago, or the clocks differ.');
  const signatures = (headers.get('webhook-signature') ?? '')
    .split(' ')
    .flatMap((one) => (one.startsWith('v1,') ? [one.slice(3)] : []));
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const secret of typeof secrets === 'string' ? [secrets] : secrets)
    for (const signature of signatures) if (await isOf(secret, signature, signed)) return JSON.parse(body);
  throw new WebhookError('The signature of the webhook matches none of the secrets.');
}

async function isOf(secret: string, signature: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const [raw, mac] = [decoded(secret.replace(/^whsec_/, '')), decoded(signature)];
  if (!raw || !mac) return false;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
  return crypto.subtle.verify('HMAC', key, mac, signed);
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return bytes.length > 0 ? bytes : null;
  } catch {
    return null;
  }
}
