import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Secrets, writePrivate } from './secrets.ts';

const edge = fileURLToPath(new URL('../../../edge/', import.meta.url));
const migrations = join(edge, 'migrations');

const bucket = 'whylight';

/** Where the gateway runs, and where its worker is. */
export interface GatewayPlace {
  readonly url: string;
  readonly workerUrl: string;
}

/** Settings that gateway and worker share: the object store, and the secret that signs their calls. */
export const sharedSettings = (url: string, secrets: Secrets): Record<string, string> => ({
  S3_ENDPOINT: `${url}/cdn-cgi/local/r2/s3`,
  S3_REGION: 'auto',
  S3_BUCKET: bucket,
  S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
  S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
  WORKER_SECRET: secrets.workerSecret,
});

/** Writes the gateway's configuration for one data directory. @returns its path */
export async function writeGatewayConfig(directory: string, secrets: Secrets): Promise<string> {
  const path = join(await homeIn(directory), 'wrangler.json');
  await writePrivate(path, JSON.stringify(await configuration(secrets), null, 2));
  return path;
}

/** Writes its settings beside the configuration, where wrangler finds them. */
export async function writeGatewaySettings(
  directory: string,
  secrets: Secrets,
  { url, workerUrl }: GatewayPlace,
): Promise<void> {
  const variables = {
    ...sharedSettings(url, secrets),
    WORKER_URL: workerUrl,
    PUBLIC_URL: url,
    WEBHOOK_SECRET: secrets.webhookSecret,
    OPERATOR_KEY_SHA256: createHash('sha256').update(secrets.operatorKey).digest('hex'),
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  await writePrivate(join(await homeIn(directory), '.dev.vars'), lines.join(''));
}

async function homeIn(directory: string): Promise<string> {
  const home = join(directory, 'gateway');
  await mkdir(home, { recursive: true });
  return home;
}

/** The gateway's own configuration, with absolute paths and this directory's credentials. */
async function configuration(secrets: Secrets): Promise<object> {
  const text = await readFile(join(edge, 'wrangler.jsonc'), 'utf8');
  const { env: _, $schema: __, ...own } = JSON.parse(withoutComments(text)) as Wrangler;
  const credentials = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
  return {
    ...own,
    main: join(edge, own.main),
    assets: { ...own.assets, directory: join(edge, own.assets.directory) },
    d1_databases: own.d1_databases.map((database) => ({ ...database, migrations_dir: migrations })),
    r2_buckets: own.r2_buckets.map((r2) => ({
      ...r2,
      bucket_name: bucket,
      local_dev: { experimental_s3_credentials: credentials },
    })),
  };
}

interface Wrangler {
  readonly env?: unknown;
  readonly $schema?: unknown;
  readonly main: string;
  readonly assets: { readonly directory: string };
  readonly d1_databases: readonly object[];
  readonly r2_buckets: readonly object[];
}

/** Comments of that file stand on lines of their own. */
const withoutComments = (jsonc: string): string => jsonc.replace(/^\s*\/\/.*$/gm, '');

/** Changes when there are migrations to apply. */
export async function migrationsDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(migrations)).sort())
    hash.update(name).update(await readFile(join(migrations, name)));
  return hash.digest('hex');
}
