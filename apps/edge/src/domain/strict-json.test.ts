import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDepth, parseStrictJson } from './strict-json.ts';

const json = fc.json({ maxDepth: 8, stringUnit: 'grapheme' });
const nested = (levels: number): string =>
  '[{"a":'.repeat(Math.floor(levels / 2)) + (levels % 2 ? '[]' : '1') + '}]'.repeat(Math.floor(levels / 2));
const messageOf = (text: string): string => {
  try {
    parseStrictJson(text);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('strict JSON', () => {
  test('J1: what has one meaning is read as JSON.parse reads it, however it is spaced', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text);
        expect(parseStrictJson(JSON.stringify(value, null, indent))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('J1: an object with a member twice is refused wherever it stands, and however the name is escaped', () => {
    fc.assert(
      fc.property(
        json,
        json,
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.nat(5),
        (one, two, name, depth) => {
          const plain = JSON.stringify(name);
          const first = `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}`;
          const escaped = `"${first}${JSON.stringify(name.slice(1)).slice(1)}`;
          fc.pre(name.slice(1).isWellFormed() && name.slice(0, 1).isWellFormed());
          for (const other of [plain, escaped]) {
            const text = `${'['.repeat(depth)}{${plain} : ${one}, ${other}:${two}}${']'.repeat(depth)}`;
            expect(messageOf(text)).toBe(`The body has "${name}" twice.`);
          }
        },
      ),
    );
  });

  test('J1: the same name in two objects, or as a value, is no repetition', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        fc.pre(name !== '__proto__');
        const value = [{ [name]: name }, { [name]: { [name]: [name, name] } }];
        expect(parseStrictJson(JSON.stringify(value))).toEqual(value);
      }),
    );
  });

  test('J1: 32 levels are read and 33 are not; brackets in texts are no levels', () => {
    for (let levels = 1; levels < 60; levels++) {
      const isRead = levels <= 32;
      expect([levels, messageOf(nested(levels)) === '']).toEqual([levels, isRead]);
      const check = () => checkDepth(nested(levels));
      if (isRead) check();
      else expect(check).toThrow('32 levels');
    }
    fc.assert(
      fc.property(fc.stringMatching(/^[[\]{}"\\]{0,200}$/), (text) => {
        checkDepth(JSON.stringify({ text }));
        expect(parseStrictJson(JSON.stringify({ text }))).toEqual({ text });
      }),
    );
  });

  test('J1: both ways to measure the depth agree on all JSON', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 20, max: 34 }), (text, around) => {
        const deep = '['.repeat(around) + text + ']'.repeat(around);
        const isDeep = /32 levels/.test(messageOf(deep));
        if (isDeep) expect(() => checkDepth(deep)).toThrow('32 levels');
        else checkDepth(deep);
      }),
    );
  });

  test.each(['1e999', '[-1e400]', '"\\ud800"', '{"\\udc00":1}', '', '{', '{"a":01}', '{a:1}', 'NaN'])(
    'J1: %j is refused',
    (text) => expect(messageOf(text)).toMatch(/^The body (is not valid JSON|holds)/),
  );
});
