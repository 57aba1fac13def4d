import { type ModelSource, sha256Hex } from '@whylight/contract';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';

/** @throws JobFailure `model_deleted` if the store no longer has the model */
export async function checkModelExists(
  { object }: ModelSource,
  storage: Storage,
  signal: AbortSignal,
): Promise<void> {
  if (!(await storage.has(object, signal))) throw modelDeleted();
}

/**
 * Reads the model's bytes, which are what they were when it was registered.
 *
 * @throws JobFailure `model_deleted`, `upload_mismatch`, `storage_unavailable`
 */
export async function readModelBytes(
  { object, bytes, sha256 }: ModelSource,
  storage: Storage,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const got = await storage.get(object, bytes, signal).catch((error: unknown) => {
    throw error instanceof JobFailure && error.error.code === 'upload_not_found' ? modelDeleted() : error;
  });
  if (got.byteLength !== bytes)
    throw new JobFailure('upload_mismatch', `the model: expected ${bytes} bytes, got ${got.byteLength}`);
  const digest = await sha256Hex(got as Uint8Array<ArrayBuffer>);
  if (digest !== sha256)
    throw new JobFailure('upload_mismatch', `the model: expected sha256 ${sha256}, got ${digest}`);
  return got;
}

const modelDeleted = () => new JobFailure('model_deleted', 'the model has been deleted');
