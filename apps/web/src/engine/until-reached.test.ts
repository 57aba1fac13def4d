import { ProblemError } from '@whylight/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KeyError } from './engine.ts';
import { untilReached } from './until-reached.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const refusal = (status: number, code: string) =>
  new ProblemError({
    ...{ type: 'about:blank', title: '', status, detail: code, instance: '', code },
    ...{ request_id: '', retryable: false },
  });

/** A call that fails with each of these, and then answers. */
const failing = (...errors: Error[]) => {
  let calls = 0;
  return async () => {
    const error = errors[calls++];
    if (error) throw error;
    return calls;
  };
};

describe('a call of the service', () => {
  test('is made again while nobody answers, and says so', async () => {
    const said: boolean[] = [];
    const signal = new AbortController().signal;
    const answer = untilReached(failing(new TypeError('Failed to fetch'), refusal(503, 'capacity')), {
      signal,
      onReach: (isReached) => said.push(isReached),
    });
    await vi.advanceTimersByTimeAsync(5000);
    expect([await answer, said]).toEqual([3, [false, false, true]]);
  });

  test('waits where too much is asked at once, which is no loss of the service', async () => {
    const said: boolean[] = [];
    const signal = new AbortController().signal;
    const answer = untilReached(failing(refusal(429, 'rate_limited'), refusal(429, 'concurrency_limited')), {
      signal,
      onReach: (isReached) => said.push(isReached),
    });
    await vi.advanceTimersByTimeAsync(5000);
    expect([await answer, said]).toEqual([3, [true]]);
  });

  test('that a quota, or the request itself, forbids is refused at once; a key by an error of its own', async () => {
    const { signal } = new AbortController();
    await expect(untilReached(failing(refusal(429, 'quota_exceeded')), { signal })).rejects.toThrow('quota');
    await expect(untilReached(failing(refusal(422, 'not_found')), { signal })).rejects.toThrow('not_found');
    await expect(untilReached(failing(refusal(401, 'invalid_key')), { signal })).rejects.toBeInstanceOf(
      KeyError,
    );
  });

  test('ends when it is stopped', async () => {
    const controller = new AbortController();
    const answer = untilReached(failing(new TypeError('Failed to fetch')), { signal: controller.signal });
    const ended = expect(answer).rejects.toThrow('stopped');
    controller.abort(new Error('stopped'));
    await vi.advanceTimersByTimeAsync(5000);
    await ended;
  });
});
