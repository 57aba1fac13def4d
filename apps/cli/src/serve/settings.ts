import { createHash } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsFile } from './gateway/home.ts';
import { type Secrets, writePrivate } from './secrets.ts';

/** The bucket in wrangler.jsonc. */
const bucket = 'whylight';

/** The URLs of the gateway, the object store and the worker, and the origins of pages that may use the first two. */
export interface GatewayPlace {
  readonly url: string;
  readonly storeUrl: string;
  readonly workerUrl: string;
  readonly corsOrigins: readonly string[];
}

/** Settings that gateway and worker share: the object store, and the secret that signs their calls. */
export const sharedSettings = (storeUrl: string, secrets: Secrets): Record<string, string> => ({
  S3_ENDPOINT: `${storeUrl}/cdn-cgi/local/r2/s3`,
  S3_REGION: 'auto',
  S3_STYLE: 'path',
  S3_BUCKET: bucket,
  S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
  S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
  WORKER_SECRET: secrets.workerSecret,
});

/** The folder of a data directory from which the gateway's process runs. */
export const homeIn = (directory: string): string => join(directory, 'gateway');

/** Writes the settings of gateway and worker to the file that the gateway's process reads. */
export async function writeSettings(
  directory: string,
  secrets: Secrets,
  { url, storeUrl, workerUrl, corsOrigins }: GatewayPlace,
): Promise<void> {
  const settings = {
    ...sharedSettings(storeUrl, secrets),
    WORKER_URL: workerUrl,
    PUBLIC_URL: url,
    CORS_ORIGINS: corsOrigins.join(' '),
    WEBHOOK_SECRET: secrets.webhookSecret,
    OPERATOR_KEY_SHA256: createHash('sha256').update(secrets.operatorKey).digest('hex'),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  const home = homeIn(directory);
  await mkdir(home, { recursive: true });
  // Whoever can open Miniflare's entry, which is in this folder, can read everything.
  await chmod(home, 0o700);
  await writePrivate(join(home, settingsFile), lines.join(''));
  // Earlier releases ran wrangler, whose configuration held the store's credentials.
  for (const left of ['wrangler.json', '.wrangler'])
    await rm(join(home, left), { recursive: true, force: true });
}
