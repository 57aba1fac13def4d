import { expect, test } from 'vitest';
import { mintKey, parseKey } from './api-key.ts';
import { newId } from './ulid.ts';

const body = `wl_live_${'0'.repeat(26)}_${'0'.repeat(32)}`;

test('a key is read back as it was minted', () => {
  const { id, secret, text } = mintKey(newId('key'));
  expect(parseKey(text)).toEqual({ id, secret });
});

test('the checksum is CRC-32 as zip has it', () => {
  // zlib.crc32(b"wl_live_" + b"0" * 26 + b"_" + b"0" * 32) in Python
  expect(parseKey(`${body}_567f58ee`)).toEqual({ id: `key_${'0'.repeat(26)}`, secret: '0'.repeat(32) });
});

test('every single mistyped character is noticed', () => {
  const { text } = mintKey(newId('key'));
  for (let i = 0; i < text.length; i++) {
    const other = text[i] === '2' ? '3' : '2';
    expect(parseKey(text.slice(0, i) + other + text.slice(i + 1))).toBeNull();
  }
});
