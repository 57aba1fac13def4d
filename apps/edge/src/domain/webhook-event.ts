import type { Explanation } from '@whylight/contract';
import type { Run } from './run.ts';

/** An event for a webhook. It is small, and holds neither pictures nor anything that gives access. */
export interface WebhookEvent {
  /** Always the same for one explanation, which ends once, however often the event is sent. */
  readonly id: string;
  readonly type: `explanation.${Explanation['status']}`;
  readonly payload: string;
}

const longestMessage = 2_000;

/** The event that explanation `id` has ended; `run` is the run as that explanation sees it. */
export function endEvent(id: string, { status, error, completedAt, submission }: Run): WebhookEvent {
  const type = `explanation.${status}` as const;
  const payload = JSON.stringify({
    type,
    timestamp: new Date(completedAt ?? 0).toISOString(),
    data: {
      id,
      object: 'explanation',
      status,
      model: submission.question.model || null,
      method: submission.question.method,
      error: error && { ...error, message: error.message.slice(0, longestMessage) },
      url: `/v1/explanations/${id}`,
    },
  });
  return { id: `evt_${id.slice('exp_'.length)}`, type, payload };
}
