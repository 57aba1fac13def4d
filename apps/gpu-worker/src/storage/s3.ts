import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { StoreVerb } from '@whylight/contract/store';
import { JobFailure } from '../job-failure.ts';
import { createS3Client, type S3Settings } from './s3-client.ts';
import type { ProbedStorage } from './storage.ts';
import { faultBehind, StoreFailure } from './store-failure.ts';
import { probeStore } from './store-probe.ts';

/** Times that a download is started before its connection counts as lost. */
const downloads = 3;

/** Storage in a bucket that speaks S3. */
export function s3Storage(settings: S3Settings): ProbedStorage {
  const { bucket } = settings;
  const client = createS3Client(settings);
  const failed = (verb: StoreVerb, error: unknown) => new StoreFailure(faultBehind(error, verb, settings));
  return {
    async get(object, maximum, signal) {
      for (let attempt = 1; ; attempt++) {
        try {
          const command = new GetObjectCommand({ Bucket: bucket, Key: object });
          const { Body } = await client.send(command, { abortSignal: signal });
          return await bytesOf(Body as AsyncIterable<Uint8Array>, maximum);
        } catch (error) {
          if (signal.aborted || error instanceof JobFailure) throw error;
          if (error instanceof S3ServiceException && error.name === 'NoSuchKey')
            throw new JobFailure('upload_not_found', 'the uploaded file is not there');
          if (attempt === downloads || error instanceof S3ServiceException) throw failed('GET', error);
          await sleep(100 * 4 ** attempt * Math.random(), undefined, { signal });
        }
      }
    },
    async has(object, signal) {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: object });
      return client.send(command, { abortSignal: signal }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
          throw signal.aborted ? error : failed('HEAD', error);
        },
      );
    },
    async put(object, bytes, { contentType, sha256 }, signal) {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: object,
        Body: bytes,
        ContentType: contentType,
        ContentLength: bytes.byteLength,
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
      });
      await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        throw signal.aborted ? error : failed('PUT', error);
      });
    },
    findProblem: (signal, log) => probeStore(client, settings, signal, log),
    close: () => client.destroy(),
  };
}

async function bytesOf(body: AsyncIterable<Uint8Array>, maximum: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maximum)
      throw new JobFailure('upload_mismatch', `the uploaded file: expected ${maximum} bytes, got more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
