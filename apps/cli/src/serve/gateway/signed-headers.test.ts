import { describe, expect, test } from 'vitest';
import { refusalOf, withoutUnsignedMetadata } from './signed-headers.ts';

const signedUrl = (names: string): URLSearchParams =>
  new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'id/20261101/auto/s3/aws4_request',
    'X-Amz-SignedHeaders': names,
    'X-Amz-Signature': 'f'.repeat(64),
  });
const authorization = (names: string): string =>
  `AWS4-HMAC-SHA256 Credential=id/20261101/auto/s3/aws4_request, SignedHeaders=${names}, Signature=${'f'.repeat(64)}`;
const nothing = new URLSearchParams();

describe('L2: in front of the local store', () => {
  test.each([
    ['x-amz-copy-source', '/whylight/t/a/u/b'],
    ['X-AMZ-Copy-Source', '/whylight/t/a/u/b'],
    ['x-amz-copy-source-range', 'bytes=0-9'],
    ['x-amz-copy-source-if-match', '*'],
    ['x-amz-acl', 'public-read'],
    ['x-amz-tagging', 'a=b'],
    ['x-amz-meta-owner', 'me'],
    ['x-amz-storage-class', 'STANDARD_IA'],
    ['x-amz-website-redirect-location', 'https://example.com'],
    ['x-amz-server-side-encryption-customer-key', 'key'],
    ['x-amz-security-token', 'token'],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['x-amz-date', '20261101T000000Z'],
    ['x-amz-', 'nothing'],
  ])('L2: %s is refused where it is not signed, in a URL or in a header', (name, value) => {
    const sentence = `The header ${name.toLowerCase()} is not signed.`;
    expect(refusalOf(new Headers({ [name]: value }), signedUrl('content-length;host'))).toBe(sentence);
    const headers = new Headers({ [name]: value, authorization: authorization('host;range') });
    expect(refusalOf(headers, nothing)).toBe(sentence);
  });

  test('L2: what is signed passes, however its name is written', () => {
    const headers = new Headers({ 'X-Amz-Checksum-Sha256': 'x', 'content-type': 'image/png' });
    expect(refusalOf(headers, signedUrl('content-type;host;x-amz-checksum-sha256'))).toBeNull();
    expect(refusalOf(headers, signedUrl('Host;X-AMZ-CHECKSUM-SHA256'))).toBeNull();
    headers.set('authorization', authorization('host;x-amz-checksum-sha256'));
    expect(refusalOf(headers, nothing)).toBeNull();
  });

  test('L2: of several that are signed one that is not is refused', () => {
    const headers = new Headers({ 'x-amz-checksum-sha256': 'x', 'x-amz-acl': 'private' });
    expect(refusalOf(headers, signedUrl('host;x-amz-checksum-sha256'))).toBe(
      'The header x-amz-acl is not signed.',
    );
  });

  test('L2: a name that is part of a signed one is not signed', () => {
    expect(refusalOf(new Headers({ 'x-amz-acl': 'x' }), signedUrl('host;x-amz-acl-2;2-x-amz-acl'))).toMatch(
      /x-amz-acl is not signed/,
    );
  });

  test('L2: nothing is copied, signed or not', () => {
    const headers = new Headers({ 'x-amz-copy-source': '/whylight/t/a/u/b' });
    expect(refusalOf(headers, signedUrl('host;x-amz-copy-source'))).toBe('This store copies no objects.');
    headers.set('authorization', authorization('host;x-amz-copy-source'));
    expect(refusalOf(headers, nothing)).toBe('This store copies no objects.');
  });

  test('L2: a request without a signature, or with two, is refused', () => {
    expect(refusalOf(new Headers(), nothing)).toBe('The request is not signed.');
    const twice = new Headers({ authorization: authorization('host;x-amz-acl'), 'x-amz-acl': 'private' });
    expect(refusalOf(twice, signedUrl('host'))).toMatch(/^The request is signed twice/);
    expect(refusalOf(twice, new URLSearchParams({ 'x-amz-signature': 'f' }))).toMatch(/signed twice/);
  });

  test('L2: two lists of signed headers are refused, whichever the store would take', () => {
    const url = signedUrl('host');
    url.append('X-Amz-SignedHeaders', 'host;x-amz-acl');
    expect(refusalOf(new Headers(), url)).toMatch(/must say once/);
    const lists = `${authorization('host')}, SignedHeaders=host;x-amz-acl`;
    expect(refusalOf(new Headers({ authorization: lists }), nothing)).toMatch(/must say once/);
    expect(refusalOf(new Headers({ authorization: 'Bearer wl_live_x' }), nothing)).toMatch(/must say once/);
  });

  test('L2: what a client has not signed is not kept beside the bytes', () => {
    const headers = new Headers({
      'content-encoding': 'gzip',
      'content-type': 'image/png',
      range: 'bytes=0-9',
    });
    const kept = withoutUnsignedMetadata(headers, signedUrl('content-type;host'));
    expect([...kept.keys()]).toEqual(['content-type', 'range']);
    expect([...withoutUnsignedMetadata(headers, signedUrl('content-encoding;host')).keys()]).toContain(
      'content-encoding',
    );
  });
});
