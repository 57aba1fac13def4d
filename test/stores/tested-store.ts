import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveStore, type StoreSettings } from '@whylight/contract/store';
import { s3Storage } from '../../apps/gpu-worker/src/storage/s3.ts';
import { RunningService } from '../service/running-service.ts';
import { Objects } from './gateway-side.ts';

/** A store, with what gateway and worker need for it. */
export interface TestedStore {
  readonly name: string;
  readonly settings: StoreSettings;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether it refuses bytes of another SHA-256 than was signed. */
  readonly checksSha256: boolean;
  /** Whether it serves an object under the name that a signed URL gives. */
  readonly namesDownloads: boolean;
  stop(): Promise<void>;
}

/** The store of `whylight serve`: Miniflare's, behind its front. */
export async function startLocalStore(): Promise<TestedStore> {
  const service = await RunningService.start();
  const secrets = JSON.parse(await readFile(join(service.directory, 'secrets.json'), 'utf8'));
  return {
    name: 'the local store',
    settings: {
      S3_ENDPOINT: `${service.ready.store_url}/cdn-cgi/local/r2/s3`,
      S3_BUCKET: 'whylight',
      S3_REGION: 'auto',
    },
    accessKeyId: secrets.s3AccessKeyId,
    secretAccessKey: secrets.s3SecretAccessKey,
    checksSha256: false,
    namesDownloads: false,
    stop: () => service.remove(),
  };
}

type Change = Partial<StoreSettings & { accessKeyId: string; secretAccessKey: string }>;

/** The gateway's side of the store. */
export function gatewaySide(
  store: TestedStore,
  { accessKeyId, secretAccessKey, ...change }: Change = {},
): Objects {
  return new Objects({
    ...store.settings,
    ...change,
    S3_ACCESS_KEY_ID: accessKeyId ?? store.accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey ?? store.secretAccessKey,
  });
}

/** The worker's side of the store. */
export function workerSide(store: TestedStore, { accessKeyId, secretAccessKey, ...change }: Change = {}) {
  return s3Storage({
    ...resolveStore({ ...store.settings, ...change }),
    accessKeyId: accessKeyId ?? store.accessKeyId,
    secretAccessKey: secretAccessKey ?? store.secretAccessKey,
  });
}
