import { type Batch, batchSchema, type ExplanationRequest } from '@whylight/contract';
import { type Connection, call, given } from './http.ts';
import { settled } from './settled.ts';

/** Many explanations asked for at once; each stands for itself. */
export class Batches {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Asks for up to a hundred. What is wrong with one is said of that one, in its `error`. @throws ProblemError */
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

  /** How its items stand. */
  get(id: string, signal?: AbortSignal): Promise<Batch> {
    return this.#call(`/v1/batches/${encodeURIComponent(id)}`, given(signal));
  }

  /** The batch once none of its items waits or is worked on. @throws ProblemError. @throws the signal's reason */
  ended(
    batch: Batch,
    {
      signal,
      onProgress,
    }: { signal?: AbortSignal | undefined; onProgress?: ((batch: Batch) => void) | undefined } = {},
  ): Promise<Batch> {
    return settled(batch, {
      isPending: ({ status }) => status === 'processing',
      look: () => this.get(batch.id, signal),
      waits: false,
      signal,
      onProgress,
    });
  }

  /** Gives up what has not ended. */
  cancel(id: string): Promise<Batch> {
    return this.#call(`/v1/batches/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
  }

  async #call(path: string, init: RequestInit): Promise<Batch> {
    return batchSchema.parse(await (await call(this.#connection, path, init, true)).json());
  }
}
