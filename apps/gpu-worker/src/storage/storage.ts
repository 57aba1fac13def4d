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

export interface PutOptions {
  readonly contentType: string;
  /** Lower-case hex; stores that check it refuse other bytes. */
  readonly sha256: string;
}
