import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure.ts';

const secretsSchema = z.strictObject({
  operatorKey: z.string(),
  workerSecret: z.string(),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
  /** Made now if an earlier release has made the other secrets. */
  webhookSecret: z.string().default(() => randomBytes(32).toString('hex')),
  /** Null until the gateway has run for the first time. */
  tenant: z.string().nullable(),
  apiKey: z.string().nullable(),
});
export type Secrets = z.infer<typeof secretsSchema>;

/** Everything secret of one data directory, in one file that only its owner may read. */
const fileIn = (directory: string): string => join(directory, 'secrets.json');

/** Reads the secrets of a data directory. A new directory gets new secrets. @throws Failure */
export async function openSecrets(directory: string): Promise<Secrets> {
  await mkdir(directory, { recursive: true }).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Failure(
      `the data directory ${directory} cannot be made: ${code === 'EEXIST' ? 'a file is in the way' : code}`,
    );
  });
  await chmod(directory, 0o700);
  const text = await readFile(fileIn(directory), 'utf8').catch(() => null);
  if (text !== null) {
    const known = parse(text);
    await saveSecrets(directory, known);
    return known;
  }
  const fresh: Secrets = {
    operatorKey: `wl_operator_${randomBytes(24).toString('hex')}`,
    workerSecret: randomBytes(32).toString('hex'),
    s3AccessKeyId: randomBytes(10).toString('hex'),
    s3SecretAccessKey: randomBytes(32).toString('hex'),
    webhookSecret: randomBytes(32).toString('hex'),
    tenant: null,
    apiKey: null,
  };
  await saveSecrets(directory, fresh);
  return fresh;
}

export async function saveSecrets(directory: string, secrets: Secrets): Promise<void> {
  await writePrivate(fileIn(directory), `${JSON.stringify(secrets, null, 2)}\n`);
}

/** Writes a file that is whole or absent, and for its owner's eyes only. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const staged = `${path}.new`;
  await writeFile(staged, text, { mode: 0o600 });
  await rename(staged, path);
}

function parse(text: string): Secrets {
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch {
    throw new Failure('secrets.json of the data directory is damaged: remove the directory to start anew');
  }
}
