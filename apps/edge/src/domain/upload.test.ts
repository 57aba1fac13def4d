import { sha256Hex } from '@whylight/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundHeaders, type Stored, uploadStatus } from './upload.ts';

const created = Date.parse('2026-11-23T12:00:00Z');
const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const announcedOf = (hash: Uint8Array, bytes: number) => ({
  content_type: 'image/png',
  content_length: bytes,
  sha256: hex(hash),
  created_at: new Date(created).toISOString(),
});

test('C1: what was announced is ready at any time; one other fact, and it is rejected', () => {
  fc.assert(
    fc.property(hashes, fc.nat(1e6), fc.nat(1e9), fc.boolean(), (hash, bytes, later, keepsHash) => {
      const announced = announcedOf(hash, bytes);
      const sent: Stored = { bytes, contentType: 'image/png', sha256: keepsHash ? base64(hash) : null };
      const status = (stored: Stored) => uploadStatus(announced, stored, 300, created + later);
      expect(status(sent)).toBe('ready');
      const other = hash.map((byte, i) => (i === bytes % 32 ? byte ^ 1 : byte));
      for (const change of [{ bytes: bytes + 1 }, { contentType: 'image/jpeg' }, { sha256: base64(other) }])
        expect(status({ ...sent, ...change })).toBe('rejected');
    }),
  );
});

test('C4: what has not come is pending to the last millisecond of its URL, and then expired', () => {
  fc.assert(
    fc.property(
      hashes,
      fc.integer({ min: 1, max: 3_600 }),
      fc.integer({ min: -2, max: 2 }),
      (hash, lifetime, off) => {
        const later = lifetime * 1000 + off;
        const status = uploadStatus(announcedOf(hash, 1), null, lifetime, created + later);
        expect(status).toBe(later < lifetime * 1000 ? 'pending' : 'expired');
      },
    ),
  );
});

test('C1: the signed PUT binds length, type and hash, and takes no name that is taken', async () => {
  const text = 'a photo';
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  expect(boundHeaders({ ...announcedOf(digest, bytes.length), sha256: await sha256Hex(text) })).toEqual({
    'content-type': 'image/png',
    'content-length': '7',
    'x-amz-checksum-sha256': base64(digest),
    'if-none-match': '*',
  });
});
