import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyWebhook, WebhookError } from './index.ts';

const now = 1_764_000_000;
const bytes = Buffer.from('twenty-four bytes of key');
const secret = `whsec_${bytes.toString('base64')}`;
const body = '{"type":"explanation.succeeded","data":{"id":"exp_1"}}';

/** Signed by Node's own HMAC, as the specification writes it. */
function headers(change: { id?: string; at?: number; key?: Buffer; body?: string } = {}): Headers {
  const { id = 'msg_1', at = now, key = bytes, body: signed = body } = change;
  const mac = createHmac('sha256', key).update(`${id}.${at}.${signed}`).digest('base64');
  return new Headers({ 'webhook-id': id, 'webhook-timestamp': `${at}`, 'webhook-signature': `v1,${mac}` });
}

test('a genuine webhook gives its body', async () => {
  expect(await verifyWebhook(body, headers(), secret, now)).toEqual(JSON.parse(body));
  expect(await verifyWebhook(body, headers({ at: now - 299 }), secret, now)).toEqual(JSON.parse(body));
});

test('I3: while a secret is rotated both are good, and one of several signatures is enough', async () => {
  const other = `whsec_${Buffer.from('another key of some size').toString('base64')}`;
  expect(await verifyWebhook(body, headers(), [other, secret], now)).toEqual(JSON.parse(body));
  const several = headers();
  several.set('webhook-signature', `v1a,abc v1,AAAA ${several.get('webhook-signature')}`);
  expect(await verifyWebhook(body, several, secret, now)).toEqual(JSON.parse(body));
  await expect(verifyWebhook(body, headers(), other, now)).rejects.toBeInstanceOf(WebhookError);
});

const without = (name: string): Headers => {
  const left = headers();
  left.delete(name);
  return left;
};
const forged: [string, Headers, string?][] = [
  ['another body', headers(), `${body} `],
  ['another id', headers({ id: 'msg_2', body: 'x' })],
  ['another key', headers({ key: Buffer.from('guessed') })],
  ['an old time', headers({ at: now - 301 })],
  ['a time to come', headers({ at: now + 301 })],
  ['no signature', without('webhook-signature')],
  ['no time', without('webhook-timestamp')],
  ['no id', without('webhook-id')],
];
test.each(forged)('a webhook with %s is refused', async (_, given, text = body) => {
  await expect(verifyWebhook(text, given, secret, now)).rejects.toBeInstanceOf(WebhookError);
});

test('a malformed secret refuses everything', async () => {
  for (const bad of ['', 'whsec_', 'whsec_*'])
    await expect(verifyWebhook(body, headers(), bad, now)).rejects.toBeInstanceOf(WebhookError);
});
