import type { z } from 'zod';
import { didYouMean } from './nearest.ts';
import { type FieldError, Refusal } from './refusal.ts';

/** A failed validation of `input` as a refusal: one error per fault, each with its JSON pointer. */
export function refusalOf(error: z.ZodError, input: unknown): Refusal {
  const errors = error.issues.flatMap((issue) => fieldErrors(issue, [], input));
  const unknown = errors.find(({ code }) => code === 'unknown_field');
  const first = unknown ?? errors[0];
  const message = first ? `${first.pointer || 'The body'}: ${first.message}` : 'The request is not valid.';
  return new Refusal(unknown ? 'unknown_field' : 'invalid_parameter', message, errors);
}

type Issue = z.core.$ZodIssue;

function fieldErrors(issue: Issue, above: readonly PropertyKey[], input: unknown): FieldError[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        pointer: pointerOf([...path, key]),
        code: 'unknown_field',
        message: 'There is no such field.',
      }));
    case 'invalid_union': {
      // The alternative that is nearest to the input is the one that was meant.
      const nearestTo = issue.errors.toSorted((a, b) => distance(a) - distance(b))[0] ?? [];
      // Where no alternative has the input's type, the schema's own words name all of them.
      if (nearestTo.length > 0 && (distance(nearestTo) < 100 || issue.message === 'Invalid input'))
        return nearestTo.flatMap((inner) => fieldErrors(inner, path, input));
      break;
    }
    case 'invalid_value': {
      const got = valueAt(input, path);
      const hint = typeof got === 'string' ? didYouMean(got, issue.values.map(String)) : '';
      const expected = issue.values.map((value) => JSON.stringify(value)).join(', ');
      return [{ pointer: pointerOf(path), code: issue.code, message: `Expected one of ${expected}.${hint}` }];
    }
  }
  return [{ pointer: pointerOf(path), code: issue.code, message: issue.message }];
}

/** A wrong type at the top counts 100: this alternative was not meant. Each unknown member counts by itself. */
const distance = (issues: readonly Issue[]): number =>
  issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length;
    return sum + (issue.path.length === 0 ? 100 : 1);
  }, 0);

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce(
    (value, step) =>
      typeof value === 'object' && value !== null
        ? Object.getOwnPropertyDescriptor(value, step)?.value
        : undefined,
    input,
  );

export const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
