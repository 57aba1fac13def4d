import { type Batch, batchSchema, type ExplanationRequest } from '@whylight/contract';
import { type Connection, call, given } from './http.ts';
import { pollUntilFinal } from './poll-until-final.ts';
import { readAnswer } from './read-answer.ts';

/** Requests many explanations at once. Each one succeeds or fails by itself. */
export class Batches {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Requests up to a hundred explanations. An invalid item has the reason in its `error`. @throws ProblemError */
  async create(
    items: readonly ExplanationRequest[],
    { idempotencyKey, signal }: { idempotencyKey?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<Batch> {
    const init = {
      method: 'POST',
      body: JSON.stringify({ items }),
      headers: { 'Idempotency-Key': idempotencyKey ?? crypto.randomUUID() },
      ...given(signal),
    };
    return this.#call('/v1/batches', init);
  }

  /** Gets the batch with the status of each item. */
  get(id: string, signal?: AbortSignal): Promise<Batch> {
    return this.#call(`/v1/batches/${encodeURIComponent(id)}`, given(signal));
  }

  /** Waits until every item has ended, and returns the batch. @throws ProblemError. @throws the signal's reason */
  ended(
    batch: Batch,
    {
      signal,
      onProgress,
    }: { signal?: AbortSignal | undefined; onProgress?: ((batch: Batch) => void) | undefined } = {},
  ): Promise<Batch> {
    return pollUntilFinal(batch, {
      isPending: ({ status }) => status === 'processing',
      poll: () => this.get(batch.id, signal),
      waits: false,
      signal,
      onProgress,
    });
  }

  /** Cancels the items that have not ended. */
  cancel(id: string): Promise<Batch> {
    return this.#call(`/v1/batches/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
  }

  async #call(path: string, init: RequestInit): Promise<Batch> {
    return readAnswer(await call(this.#connection, path, init, true), batchSchema.safeParse, init.signal);
  }
}
