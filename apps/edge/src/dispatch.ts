import type { JobError } from '@whylight/contract';
import type { AttemptMessage } from './domain/run.ts';
import type { Bindings } from './env.ts';
import { type Services, services } from './services.ts';
import type { Taken } from './storage/gpu-worker.ts';

/** Longest pause between two tries of one message, in seconds. */
const longestPause = 30;
/**
 * Rounds through the workers after which a job that all of them refuse fails: with their pauses about eight minutes, so that a
 * rollout can bring other workers.
 */
export const mostRefusals = 20;

/** Hands jobs from the queue to a worker; fails the jobs of the dead-letter queue by name. */
export async function dispatch(batch: MessageBatch<AttemptMessage>, bindings: Bindings): Promise<void> {
  const world = services(bindings);
  const handle = batch.queue.endsWith('-dead') ? failUndeliverable : deliver;
  await Promise.all(
    batch.messages.map((message) =>
      // Each failed message is retried alone, so that the others of its batch keep their tries.
      handle(message, world, bindings).catch((error: unknown) => {
        console.error('a message failed; the queue delivers it again', error);
        message.retry({ delaySeconds: pauseAfter(message) });
      }),
    ),
  );
}

/** Seconds before another try. */
const pauseAfter = ({ attempts }: Message<AttemptMessage>): number =>
  Math.min(2 ** (attempts - 1), longestPause);

async function deliver(message: Message<AttemptMessage>, world: Services, { JOBS }: Bindings): Promise<void> {
  const { key, attempt } = message.body;
  const computation = world.computation(key);
  const job = await computation.deliverJob(attempt);
  if (!job) return message.ack();
  const answer = await world.worker.take(job);
  switch (answer.outcome) {
    case 'accepted':
      await computation.acceptAttempt(attempt);
      return message.ack();
    case 'busy': {
      // The worker is full, which is no fault of the message: it goes to the back of the queue with all its tries.
      // The longer it has waited, the longer the pauses: 5 s after a minute, 30 s after half an hour.
      const deferrals = (message.body.deferrals ?? 0) + 1;
      const pause = Math.max(answer.seconds, Math.ceil(deferrals / 4));
      await JOBS.send({ key, attempt, deferrals }, { delaySeconds: Math.min(pause, longestPause) });
      return message.ack();
    }
    case 'unreachable':
      return message.retry({ delaySeconds: pauseAfter(message) });
    case 'refused': {
      const refusals = (message.body.refusals ?? 0) + 1;
      if (refusals >= mostRefusals) await computation.failAttempt(attempt, refusedError(answer, refusals));
      else
        await JOBS.send(
          { ...message.body, refusals },
          { delaySeconds: Math.min(2 ** (refusals - 1), longestPause) },
        );
      return message.ack();
    }
  }
}

type Refused = Extract<Taken, { readonly outcome: 'refused' }>;

/** The error of a job that every worker refuses. Other workers may take it later, unless the job itself is wrong. */
function refusedError({ status, code, detail }: Refused, times: number): JobError {
  const message = `No worker took the job. Workers refused it ${times} times, the last time because of this: ${detail}.`;
  if (code === 'model_not_found' || code === 'method_not_supported')
    return { code, message, retryable: true };
  const isWrong = status === 400 || status === 413;
  return { code: isWrong ? 'internal' : 'worker_unreachable', message, retryable: !isWrong };
}

async function failUndeliverable(message: Message<AttemptMessage>, world: Services): Promise<void> {
  const { key, attempt } = message.body;
  await world.computation(key).failAttempt(attempt, {
    code: 'worker_unreachable',
    message: 'No worker accepted the job.',
    retryable: true,
  });
  message.ack();
}
