import type { Log } from '../telemetry/log.ts';

/** The object store, as far as a job needs it. */
export interface Storage {
  /**
   * @throws JobFailure `upload_not_found`; `upload_mismatch` when the object has more than `maximum` bytes;
   *   `storage_unavailable` when the store does not answer after retries.
   */
  get(object: string, maximum: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Whether there is such an object. @throws JobFailure `storage_unavailable`. */
  has(object: string, signal: AbortSignal): Promise<boolean>;
  /** @throws JobFailure `storage_unavailable`. */
  put(object: string, bytes: Uint8Array, about: PutOptions, signal: AbortSignal): Promise<void>;
}

/** A store that the worker tries before it takes jobs. */
export interface ProbedStorage extends Storage {
  /** What is wrong with the store, as a sentence for the operator; null if nothing is. */
  findFault(signal: AbortSignal, log: Log): Promise<string | null>;
  close(): void;
}

export interface PutOptions {
  readonly contentType: string;
  /** Lower-case hex; stores that check it refuse other bytes. */
  readonly sha256: string;
}
