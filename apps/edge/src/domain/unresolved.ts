import { type ExplanationFailure, explanationFailureCodes, type Question } from '@whylight/contract';
import { type Creation, styleOf, timesOf } from './creation.ts';
import type { Refusal } from './refusal.ts';
import type { Admission, Run } from './run.ts';
import { beginRun } from './transitions.ts';
import { addWaiter } from './waiters.ts';

/**
 * The number of the run that stands for an explanation whose question is not resolved, because no worker has told which models
 * there are. Runs of computations have numbers from 1.
 */
export const unresolvedNumber = 0;

export const isResolved = ({ number }: Pick<Run, 'number'>): boolean => number !== unresolvedNumber;

/** Milliseconds after which an explanation fails if no worker has told its models, or if there was no place for it. */
export const longestUnresolved = 30 * 60_000;

/** Explanation `creation` as it is seen until it has a computation: a run of its own, for which it alone waits. */
export function unresolvedRun(creation: Creation, question: Question, units: number): Run {
  const { id, tenant, asked, requestId, requestedAt } = creation;
  const style = styleOf(asked);
  const input = { object: '', content_type: '', bytes: 0 };
  const submission = { key: id, tenant, question, style, input, requestId, units };
  const request = { id, style, webhook: asked.webhook ?? null, ...timesOf(creation) };
  const run = { ...beginRun(null, submission, requestedAt), number: unresolvedNumber };
  return addWaiter(run, request, unresolvedVia(creation));
}

/** How an unresolved explanation is said to find its run; its computation may say otherwise. */
export const unresolvedVia = ({ fresh }: Creation): Admission['via'] => (fresh ? 'bypass' : 'miss');

export const noWorkerYet: ExplanationFailure = {
  code: 'worker_unreachable',
  message: 'No worker has started within 30 minutes.',
  retryable: true,
};

const codes: readonly string[] = explanationFailureCodes;

/** The failure of an explanation that would have been refused, had its model been known at once: same code, same sentence. */
export const failureOf = ({ code, message }: Refusal, retryable: boolean): ExplanationFailure => ({
  code: codes.includes(code) ? (code as ExplanationFailure['code']) : 'internal',
  message,
  retryable,
});
