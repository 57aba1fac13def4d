import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { pointerOf, refusalOf } from './validation.ts';

/** What a JSON pointer leads to, read by RFC 6901. */
const follow = (value: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((at, step) => (at as Record<string, unknown>)[step], value);

const refuse = (schema: z.ZodType, input: unknown) => {
  const { error } = schema.safeParse(input);
  return refusalOf(error!, input);
};

const names = fc.array(fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('~', '/', '~1', '~0/', 'a/b')), {
  minLength: 1,
  maxLength: 5,
});

test('J3: a pointer leads to the member that it names, whatever characters its name has', () => {
  fc.assert(
    fc.property(names, (path) => {
      fc.pre(!path.includes('__proto__'));
      const value = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), 'found');
      expect(follow(value, pointerOf(path))).toBe('found');
    }),
  );
});

test('J3: every unknown member is refused by name and place, and before all other faults', () => {
  const schema = z.strictObject({ inner: z.strictObject({ n: z.number() }) });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      (odd) => {
        fc.pre(!odd.includes('__proto__'));
        const input = { inner: { n: 'no number', ...Object.fromEntries(odd.map((name) => [name, 1])) } };
        const { code, errors } = refuse(schema, input);
        expect(code).toBe('unknown_field');
        const unknown = errors
          .filter((error) => error.code === 'unknown_field')
          .map(({ pointer }) => pointer);
        expect(unknown.toSorted()).toEqual(odd.map((name) => pointerOf(['inner', name])).toSorted());
        expect(errors.map(({ pointer }) => pointer)).toContain('/inner/n');
      },
    ),
  );
});

test('J3: of alternatives that all fail the faults of the nearest one are told', () => {
  const schema = z.union([
    z.string(),
    z.strictObject({ a: z.number(), b: z.number() }),
    z.strictObject({ terms: z.array(z.number()) }),
  ]);
  expect(refuse(schema, { terms: [1, 'x'] }).errors.map(({ pointer }) => pointer)).toEqual(['/terms/1']);
  expect(refuse(schema, { a: 1, b: 'x' }).errors.map(({ pointer }) => pointer)).toEqual(['/b']);
  expect(refuse(schema, { a: 1, b: 2, c: 3 }).errors.map(({ pointer }) => pointer)).toEqual(['/c']);
});

test('J3: a value that is nearly one of those that are possible gets that one suggested', () => {
  const schema = z.strictObject({ color: z.enum(['viridis', 'jet']) });
  expect(refuse(schema, { color: 'virids' }).errors).toEqual([
    {
      pointer: '/color',
      code: 'invalid_value',
      message: 'Expected one of "viridis", "jet". Did you mean "viridis"?',
    },
  ]);
  expect(refuse(schema, { color: 5 }).message).toBe('/color: Expected one of "viridis", "jet".');
});
