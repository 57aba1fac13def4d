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

/** Gets what is for the worker's log. */
export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** What keeps a store from being used. */
export interface StoreProblem {
  /** A sentence for the operator. */
  readonly reason: string;
  readonly isAnswered: boolean;
}

/** A store that the worker tries before it takes jobs. */
export interface ProbedStorage extends Storage {
  /** Tries the store. @returns null if it works */
  findProblem(signal: AbortSignal, log: Log): Promise<StoreProblem | null>;
  close(): void;
}

export interface PutOptions {
  readonly contentType: string;
  /** Lower-case hex; stores that check it refuse other bytes. */
  readonly sha256: string;
}
