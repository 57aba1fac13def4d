import { InputError, OutOfMemoryError } from '@whylight/core';
import { expect, test } from 'vitest';
import { errorOf, failureOf } from './failure.ts';

const arrived = (error: unknown) => errorOf(structuredClone(failureOf(error)));

test('errors keep class, code and message on their way from the worker', () => {
  const input = arrived(new InputError('unknown_method', 'there is no method "x"'));
  expect(input).toBeInstanceOf(InputError);
  expect(input).toMatchObject({ code: 'unknown_method', message: 'there is no method "x"' });
  expect(arrived(new OutOfMemoryError('full'))).toBeInstanceOf(OutOfMemoryError);
  expect(arrived(new DOMException('stop', 'AbortError'))).toMatchObject({
    name: 'AbortError',
    message: 'stop',
  });
  expect(arrived(new TypeError('x is not a function')).message).toBe('x is not a function');
});

test('a number, which WebAssembly throws, is an error too', () => {
  expect(arrived(5_312_440).message).toBe('5312440');
});
