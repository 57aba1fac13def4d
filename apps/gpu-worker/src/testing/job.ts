import { type Job, ownStyle } from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';

/** A job that is valid; `change` says what the test is about. */
export function jobFor({
  question,
  ...change
}: Partial<Omit<Job, 'question'>> & { question?: Partial<Job['question']> } = {}): Job {
  return {
    key: 'a'.repeat(64),
    attempt: 1,
    lease: 'lease-of-the-first-attempt',
    question: {
      image: '0'.repeat(64),
      model: `sha256:${'1'.repeat(64)}`,
      preprocessing: `sha256:${'2'.repeat(64)}`,
      method: 'grad-cam',
      method_version: '1',
      numerics_version: numericsVersion,
      convention: 'paper',
      parameters: {},
      layers: [],
      target: 'predicted',
      ...question,
    },
    style: ownStyle(),
    input: { object: 't/acme/u/photo', content_type: 'image/png', bytes: 10 },
    output_prefix: 't/acme/x/key/1/',
    claim_url: 'http://127.0.0.1:1/claim',
    report_url: 'http://127.0.0.1:1/report',
    request_id: 'req_test',
    ...change,
  };
}
