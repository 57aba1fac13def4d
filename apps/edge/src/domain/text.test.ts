import { describe, expect, test } from 'vitest';
import { preferredWait } from './prefer.ts';
import { parseStrictJson } from './strict-json.ts';
import { base32, isId, ulid } from './ulid.ts';

describe('Prefer', () => {
  test.each([
    ['wait=10', 10],
    ['respond-async, wait=5', 5],
    ['Wait = "7"', 7],
    ['wait=61', 60],
    ['wait=0', 0],
    ['wait=-1', null],
    ['wait=ten', null],
    ['await=3', null],
    [undefined, null],
  ])('%s waits %s seconds', (header, seconds) => {
    expect(preferredWait(header)).toBe(seconds);
  });
});

describe('strict JSON', () => {
  test('reads what JSON.parse reads', () => {
    const text = '{"a":[1,-2.5e3,"x\\"y{",{"a":null}],"b":"[","c":{"a":true}}';
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  test.each([
    '{"a":1,"a":2}',
    '[{"b":{"a":1,"a":1}}]',
    '"\\udfff"',
    '[-1e400]',
    `${'['.repeat(33)}${']'.repeat(33)}`,
  ])('refuses %s', (text) => {
    expect(() => parseStrictJson(text)).toThrow();
    expect(() => JSON.parse(text)).not.toThrow();
  });

  test('reads 32 levels', () => {
    expect(() => parseStrictJson(`${'['.repeat(32)}${']'.repeat(32)}`)).not.toThrow();
  });
});

describe('ids', () => {
  test('base 32 is Crockford’s', () => {
    expect(base32(new Uint8Array([0, 0, 0, 0, 33]))).toBe('00000011');
    expect(base32(new Uint8Array([255, 255, 255, 255, 255]))).toBe('ZZZZZZZZ');
  });

  test('sort by time, and the first ten characters are the milliseconds', () => {
    // 1469918176385 is the example of the ULID specification
    expect(ulid(1_469_918_176_385).slice(0, 10)).toBe('01ARYZ6S41');
    expect(ulid(1_000) < ulid(1_001)).toBe(true);
    expect(isId('upl', `upl_${ulid()}`)).toBe(true);
    expect(isId('upl', `exp_${ulid()}`)).toBe(false);
  });
});
