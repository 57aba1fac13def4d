import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  checkSignature,
  type Direction,
  sign,
  signatureHeader,
  timestampHeader,
  tolerance,
  verify,
} from './signature.ts';

const secret = 'a secret that gateway and worker share';
const call = {
  direction: 'gateway-to-worker' as Direction,
  method: 'POST',
  path: '/v1/jobs?x=1',
  body: '{"ü":1}',
};
const now = 1_800_000_000;
const headersOf = (record: Record<string, string>) => ({ get: (name: string) => record[name] });

test('the signature is HMAC-SHA-256 of the lines that the comment names', async () => {
  const message = `gateway-to-worker\n${now}\nPOST\n/v1/jobs?x=1\n{"ü":1}`;
  const signed = await sign(secret, call, now);
  expect(signed[signatureHeader]).toBe(createHmac('sha256', secret).update(message).digest('hex'));
});

test('what was signed is verified, within the tolerance of the clocks', async () => {
  const headers = headersOf(await sign(secret, call, now));
  for (const skew of [-tolerance, 0, tolerance])
    expect(await verify(secret, call, headers, now + skew)).toBe(true);
  for (const skew of [-tolerance - 1, tolerance + 1])
    expect(await verify(secret, call, headers, now + skew)).toBe(false);
});

test.each([
  { direction: 'worker-to-gateway' as Direction },
  { method: 'PUT' },
  { path: '/v1/jobs?x=2' },
  { body: '{"ü":2}' },
])('a call that differs in %j is refused', async (change) => {
  const headers = headersOf(await sign(secret, call, now));
  expect(await verify(secret, { ...call, ...change }, headers, now)).toBe(false);
});

test('another secret, another time, and malformed headers are refused', async () => {
  const signed = await sign(secret, call, now);
  const wrong = [
    {},
    { ...signed, [timestampHeader]: String(now + 1) },
    { ...signed, [timestampHeader]: '1e9' },
    { ...signed, [signatureHeader]: '0'.repeat(64) },
    { ...signed, [signatureHeader]: 'x' },
  ];
  for (const headers of wrong) expect(await verify(secret, call, headersOf(headers), now)).toBe(false);
  expect(await verify('another secret', call, headersOf(signed), now)).toBe(false);
});

test('two secrets are valid while one replaces the other', async () => {
  const secrets = ['the new secret of both', secret];
  for (const each of secrets)
    expect(await checkSignature(secrets, call, headersOf(await sign(each, call, now)), now)).toEqual({
      outcome: 'valid',
    });
  const signed = headersOf(await sign('a third secret', call, now));
  expect(await checkSignature(secrets, call, signed, now)).toEqual({ outcome: 'unsigned' });
});

test('a wrong clock is told from a wrong secret, with the seconds by which it differs', async () => {
  const late = headersOf(await sign(secret, call, now - 1_200));
  expect(await checkSignature([secret], call, late, now)).toEqual({
    outcome: 'wrong_clock',
    seconds: -1_200,
  });
  const early = headersOf(await sign(secret, call, now + 1_200));
  expect(await checkSignature([secret], call, early, now)).toEqual({
    outcome: 'wrong_clock',
    seconds: 1_200,
  });
  expect(await checkSignature(['another secret'], call, late, now)).toEqual({ outcome: 'unsigned' });
});
