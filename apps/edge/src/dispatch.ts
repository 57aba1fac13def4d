import type { Departure } from './domain/run.ts';
import type { Bindings } from './env.ts';
import { type Services, services } from './services.ts';

/** Longest pause between two tries of one message, in seconds. */
const longestPause = 30;

/** Hands jobs from the queue to a worker; what comes by the dead-letter queue is failed by name. */
export async function dispatch(batch: MessageBatch<Departure>, bindings: Bindings): Promise<void> {
  const world = services(bindings);
  const deliver = batch.queue.endsWith('-dead') ? giveUp : hand;
  await Promise.all(
    batch.messages.map((message) =>
      // One that fails is tried again by itself: its neighbours are not to use up their tries with it.
      deliver(message, world, bindings).catch((error: unknown) => {
        console.error('a message was not dealt with', error);
        message.retry({ delaySeconds: pauseAfter(message) });
      }),
    ),
  );
}

/** Seconds before another try. */
const pauseAfter = ({ attempts }: Message<Departure>): number => Math.min(2 ** (attempts - 1), longestPause);

async function hand(message: Message<Departure>, world: Services, { JOBS }: Bindings): Promise<void> {
  const { key, attempt } = message.body;
  const computation = world.computation(key);
  const job = await computation.job(attempt);
  if (!job) return message.ack();
  const taken = await world.worker.take(job);
  switch (taken.outcome) {
    case 'accepted':
      await computation.taken(attempt);
      return message.ack();
    case 'busy':
      // A worker that is full is no fault of the message: it goes to the back of the queue, untried.
      await JOBS.send(message.body, { delaySeconds: Math.min(taken.seconds, longestPause) });
      return message.ack();
    case 'unreachable':
      return message.retry({ delaySeconds: pauseAfter(message) });
    case 'refused':
      console.error(`${job.request_id}: the worker refused the job with status ${taken.status}`);
      await computation.fail(attempt, {
        code: 'internal',
        message: 'The worker refused the job.',
        retryable: false,
      });
      return message.ack();
  }
}

async function giveUp(message: Message<Departure>, world: Services): Promise<void> {
  const { key, attempt } = message.body;
  await world.computation(key).fail(attempt, {
    code: 'worker_unreachable',
    message: 'No worker took the job.',
    retryable: true,
  });
  message.ack();
}
