import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorClient, WhylightClient } from '@whylight/client';
import { z } from 'zod';
import { UsageError } from '../failure.ts';
import { credentialsPath, serviceEnvironment } from './env.ts';

const credentialsSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  apiKey: z.string().optional(),
  operatorKey: z.string().optional(),
});
export type Credentials = z.infer<typeof credentialsSchema>;

/** Writes a file for its owner's eyes only, whole or not at all. @returns its path */
export async function saveCredentials(credentials: Credentials): Promise<string> {
  const path = credentialsPath();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const staged = `${path}.new`;
  await writeFile(staged, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  await chmod(staged, 0o600);
  await rename(staged, path);
  return path;
}

/** Reads the stored credentials. Environment variables replace their members. @throws UsageError if no service is configured */
export async function openCredentials(): Promise<Credentials> {
  const stored = await storedCredentials();
  const parsed = credentialsSchema.safeParse({ ...stored, ...serviceEnvironment() });
  if (parsed.success) return parsed.data;
  if (!stored && !serviceEnvironment().url)
    throw new UsageError(
      'no service is configured: run whylight login, or set WHYLIGHT_URL and WHYLIGHT_API_KEY',
    );
  throw new UsageError('the stored credentials are invalid: run whylight login again');
}

/** Reads what `whylight login` has stored; null if it has stored nothing. */
export async function storedCredentials(): Promise<Partial<Credentials> | null> {
  const text = await readFile(credentialsPath(), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return JSON.parse(text) as Partial<Credentials>;
  } catch {
    return {};
  }
}

/** A client with the user's key. @throws UsageError */
export async function openClient(): Promise<WhylightClient> {
  const { url, apiKey } = await openCredentials();
  if (!apiKey) throw new UsageError('no API key is configured: run whylight login, or set WHYLIGHT_API_KEY');
  return new WhylightClient({ url, apiKey });
}

/** A client with the operator's key. @throws UsageError */
export async function openOperator(): Promise<OperatorClient> {
  const { url, operatorKey } = await openCredentials();
  if (!operatorKey)
    throw new UsageError(
      'no operator key is configured: run whylight login --operator, or set WHYLIGHT_OPERATOR_KEY',
    );
  return new OperatorClient({ url, apiKey: operatorKey });
}
