const tolerance = 300;

/** What a webhook came with that is none of ours. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/**
 * The body of a webhook, parsed, once it is known to be genuine: signed with one of the secrets (of which there are two
 * while one is being rotated) at most five minutes ago. `webhook-id` in the headers is the same for each delivery of one
 * event, so that a repetition can be told.
 *
 *     signature = "v1," + base64(HMAC-SHA-256(secret, id "." timestamp "." body))
 *
 * @param body as it came, not parsed and written again
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
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) throw new WebhookError('It is not signed.');
  if (Math.abs(now - Number(timestamp)) > tolerance)
    throw new WebhookError('It was signed too long ago, or the clocks differ.');
  const signatures = (headers.get('webhook-signature') ?? '')
    .split(' ')
    .flatMap((one) => (one.startsWith('v1,') ? [one.slice(3)] : []));
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const secret of typeof secrets === 'string' ? [secrets] : secrets)
    for (const signature of signatures) if (await isOf(secret, signature, signed)) return JSON.parse(body);
  throw new WebhookError('Its signature is of none of the secrets.');
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
