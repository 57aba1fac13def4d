/**
 * Secrets of webhook endpoints are derived, not stored: HMAC-SHA-256(the gateway's WEBHOOK_SECRET, id:generation).
 * The database contains none of them.
 */
export interface SecretOwner {
  readonly id: string;
  readonly generation: number;
  /** Until when the secret before this one signs too. */
  readonly previous_until: string | null;
}

const encoder = new TextEncoder();
const algorithm = { name: 'HMAC', hash: 'SHA-256' };

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, encoder.encode(text).slice()));
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

const derive = (master: string, id: string, generation: number): Promise<Uint8Array<ArrayBuffer>> =>
  hmac(encoder.encode(master).slice(), `${id}:${generation}`);

/** The secret as its owner gets to see it. */
export async function secretOf(master: string, { id, generation }: SecretOwner): Promise<string> {
  return `whsec_${base64(await derive(master, id, generation))}`;
}

/**
 * The headers of one delivery by Standard Webhooks: a signature with every valid secret, the newest first.
 *
 *     v1,base64(HMAC-SHA-256(secret, id.timestamp.payload))
 */
export async function signedHeaders(
  master: string,
  owner: SecretOwner,
  message: { readonly id: string; readonly payload: string },
  now: number,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const rotating = owner.previous_until !== null && Date.parse(owner.previous_until) > now;
  const generations = rotating ? [owner.generation, owner.generation - 1] : [owner.generation];
  const signatures = generations.map(async (generation) => {
    const key = await derive(master, owner.id, generation);
    return `v1,${base64(await hmac(key, `${message.id}.${timestamp}.${message.payload}`))}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': (await Promise.all(signatures)).join(' '),
  };
}
