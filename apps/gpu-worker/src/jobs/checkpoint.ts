import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import {
  artifactPrefix,
  type Checkpoint,
  type CheckpointSource,
  checkpointUnder,
  largestCheckpoint,
} from '@whylight/contract';
import type { LoopState } from '@whylight/core';
import { z } from 'zod';
import { loopStateSchema } from '../isolation/loop-state.ts';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import { storeFieldsOf } from '../storage/store-failure.ts';
import type { Log } from '../telemetry/log.ts';
import { version } from '../version.ts';
import type { ClaimedJob } from './gateway-call.ts';

interface CheckpointContext {
  readonly storage: Storage;
  readonly device: string;
  readonly log: Log;
}

/** Milliseconds to write a checkpoint while the worker stops. */
const writeTime = 10_000;

/**
 * What a state depends on. The key covers the photo, the model and its preprocessing, the method, its version and
 * parameters, the layers, the target and the numerics version. Another release may name and order a graph's values
 * otherwise, and another device rounds otherwise. How many samples are taken at a time is in the state itself.
 */
const originOf = ({ key }: ClaimedJob, device: string) => ({ key, device, release: version });

const fileSchema = z.object({
  origin: z.object({ key: z.string(), device: z.string(), release: z.string() }),
  state: loopStateSchema,
});

/** Writes the state as one object beside the artifacts of this claim. @returns null if that does not succeed */
export async function writeCheckpoint(
  job: ClaimedJob,
  state: LoopState,
  { storage, device, log }: CheckpointContext,
): Promise<Checkpoint | null> {
  const bytes = serialize({ origin: originOf(job, device), state });
  const object = checkpointUnder(artifactPrefix(job.output_prefix, job.nonce));
  const sha256 = sha256Of(bytes);
  if (bytes.byteLength > largestCheckpoint || !loopStateSchema.safeParse(state).success) {
    log('checkpoint_not_written', { reason: 'the state is too large', bytes: bytes.byteLength });
    return null;
  }
  const about = { contentType: 'application/octet-stream', sha256 };
  try {
    await storage.put(object, bytes, about, AbortSignal.timeout(writeTime));
  } catch (error) {
    const reason = (error as Error).message;
    log('checkpoint_not_written', { reason, bytes: bytes.byteLength, ...storeFieldsOf(error) });
    return null;
  }
  const { completed, total } = state;
  return { object, sha256, bytes: bytes.byteLength, completed, total };
}

/**
 * Reads the state in which an earlier attempt has stopped. Undefined if there is none, or if it is gone, damaged or of no use
 * to this worker: then the job begins at the beginning.
 *
 * @throws JobFailure `storage_unavailable`
 */
export async function readCheckpoint(
  job: ClaimedJob,
  signal: AbortSignal,
  { storage, device, log }: CheckpointContext,
): Promise<LoopState | undefined> {
  if (!job.checkpoint) return undefined;
  const bytes = await read(job.checkpoint, storage, signal);
  const found = typeof bytes === 'string' ? bytes : stateIn(bytes, originOf(job, device));
  if (typeof found === 'string') {
    log('checkpoint_not_used', { reason: found });
    return undefined;
  }
  log('checkpoint_read', { completed: found.completed, total: found.total });
  return found;
}

/** @returns the bytes, or why there are none */
async function read(
  { object, bytes: size, sha256 }: CheckpointSource,
  storage: Storage,
  signal: AbortSignal,
): Promise<Uint8Array | string> {
  try {
    const bytes = await storage.get(object, size, signal);
    return bytes.byteLength === size && sha256Of(bytes) === sha256 ? bytes : 'it is damaged';
  } catch (error) {
    const code = error instanceof JobFailure ? error.error.code : null;
    if (code === 'upload_not_found') return 'it is gone';
    if (code === 'upload_mismatch') return 'it is damaged';
    throw error;
  }
}

/** @returns the state, or why it is of no use */
function stateIn(bytes: Uint8Array, expected: ReturnType<typeof originOf>): LoopState | string {
  const file = fileSchema.safeParse(deserialized(bytes)).data;
  if (!file) return 'it has another form';
  const { origin, state } = file;
  const names = ['key', 'device', 'release'] as const;
  const wrong = names.find((name) => origin[name] !== expected[name]);
  return wrong ? `its ${wrong}: expected ${expected[wrong]}, got ${origin[wrong]}` : state;
}

/** Undefined for bytes that another version of Node may have written. */
function deserialized(bytes: Uint8Array): unknown {
  try {
    return deserialize(bytes);
  } catch {
    return undefined;
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
