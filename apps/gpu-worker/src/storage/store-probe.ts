import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  adviseOn,
  nameFault,
  type Store,
  type StoreFault,
  type StoreVerb,
  wrongBytes,
} from '@whylight/contract/store';
import type { Log, StoreProblem } from './storage.ts';
import { faultBehind } from './store-failure.ts';

/** Milliseconds for one request, with its repetitions. */
const patience = 15_000;

/**
 * Writes a small object, reads it and deletes it, and asks for one that is not there. The object lies where results lie, so that
 * a key with rights for results only passes.
 *
 * @returns what is wrong; null if nothing is
 */
export async function probeStore(
  client: S3Client,
  store: Store,
  signal: AbortSignal,
  log: Log,
): Promise<StoreProblem | null> {
  const Bucket = store.bucket;
  const Key = `t/probe/x/worker-${randomUUID()}`;
  const bytes = randomBytes(16);
  const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
  const options = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
  const host = new URL(store.endpoint).host;
  let verb: StoreVerb = 'PUT';
  try {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, ChecksumSHA256 }), options());
    verb = 'GET';
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), options());
    const got = await Body!.transformToByteArray();
    if (!bytes.equals(got))
      return problemOf({ verb, host, status: 200, code: wrongBytes, message: '', region: null }, store);
    verb = 'HEAD';
    await client.send(new HeadObjectCommand({ Bucket, Key: `${Key}-missing` }), options());
  } catch (error) {
    signal.throwIfAborted();
    const fault = faultBehind(error, verb, store);
    const isMissing = verb === 'HEAD' && fault.status === 404;
    // An answer to HEAD has no body that holds a code. After the requests before it can be about rights only.
    if (!isMissing)
      return problemOf(
        verb === 'HEAD' && fault.status === 403 ? { ...fault, code: 'AccessDenied' } : fault,
        store,
      );
  } finally {
    if (verb !== 'PUT') await remove(client, store, Key, log);
  }
  return null;
}

const problemOf = (fault: StoreFault, store: Store): StoreProblem => ({
  reason: adviseOn(fault, store),
  isAnswered: fault.status !== null,
});

/** A worker deletes nothing else, so it need not have the right: what is left is for the log. */
async function remove(client: S3Client, store: Store, Key: string, log: Log): Promise<void> {
  const abortSignal = AbortSignal.timeout(5_000);
  try {
    await client.send(new DeleteObjectCommand({ Bucket: store.bucket, Key }), { abortSignal });
  } catch (error) {
    log('probe_object_left', { object: Key, cause: nameFault(faultBehind(error, 'DELETE', store)) });
  }
}
