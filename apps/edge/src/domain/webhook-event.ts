import type { Explanation } from '@whylight/contract';
import type { Run } from './run.ts';

/** What a webhook is told; small, without pictures, without anything that opens something. */
export interface WebhookEvent {
  /** The same however often it is sent: an explanation ends once. */
  readonly id: string;
  readonly type: `explanation.${Explanation['status']}`;
  readonly payload: string;
}

const longestMessage = 2_000;

/** How explanation `id` ended; `run` as that one sees it. */
export function endOf(id: string, { status, error, completedAt, submission }: Run): WebhookEvent {
  const type = `explanation.${status}` as const;
  const payload = JSON.stringify({
    type,
    timestamp: new Date(completedAt ?? 0).toISOString(),
    data: {
      id,
      object: 'explanation',
      status,
      model: submission.question.model,
      method: submission.question.method,
      error: error && { ...error, message: error.message.slice(0, longestMessage) },
      url: `/v1/explanations/${id}`,
    },
  });
  return { id: `evt_${id.slice('exp_'.length)}`, type, payload };
}
