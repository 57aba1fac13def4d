import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fronts } from './fronts.ts';

/** A program that fetches a URL with the key, follows redirects and writes the body to stdout. */
export interface Client {
  readonly name: string;
  readonly program: string;
  args(url: string, key: string): readonly string[];
}

/** Copies a program into the folder where its libraries are installed. */
function programIn(folder: string, name: string): string {
  const path = join(folder, name);
  copyFileSync(fileURLToPath(new URL(`./programs/${name}`, import.meta.url)), path);
  return path;
}

const bearer = (key: string): string => `Authorization: Bearer ${key}`;

/** Clients that many machines have. */
export const commandLine: readonly Client[] = [
  { name: 'curl -L', program: 'curl', args: (url, key) => ['-sSL', '-H', bearer(key), url] },
  {
    name: 'curl -L --oauth2-bearer',
    program: 'curl',
    args: (url, key) => ['-sSL', '--oauth2-bearer', key, url],
  },
  { name: 'wget', program: 'wget', args: (url, key) => ['-qO-', '--header', bearer(key), url] },
];

const byLibrary = (program: string, file: string, library: string): Omit<Client, 'name'> => ({
  program,
  args: (url, key) => [file, library, url, key],
});

export const inNode = (folder: string, library: string): Client => ({
  name: `Node ${library}`,
  ...byLibrary(process.execPath, programIn(folder, 'node.mjs'), library),
});

export const inPython = (folder: string, python: string, library: string): Client => ({
  name: `Python ${library}`,
  ...byLibrary(python, programIn(folder, 'python.py'), library),
});

export const inJava = (folder: string, library: string): Client => ({
  name: `Java ${library}`,
  ...byLibrary('java', programIn(folder, 'Client.java'), library),
});

export function inGo(folder: string): Client {
  const file = programIn(folder, 'client.go');
  return { name: 'Go net/http', program: 'go', args: (url, key) => ['run', file, url, key] };
}

/** What a client got, and what the store's front saw of it meanwhile. */
export interface Fetched {
  /** Of the bytes that the client wrote; null if it failed. */
  readonly sha256: string | null;
  /** What a client that failed has said. */
  readonly failure: string | null;
  /** The statuses of the store's answers. */
  readonly statuses: readonly number[];
  /** Requests to the store that had the key. */
  readonly keys: number;
}

/** Fetches a path of the API by a client. */
export async function fetchBy(
  { program, args }: Client,
  { url, seen }: Fronts,
  path: string,
  key: string,
): Promise<Fetched> {
  const before = seen.length;
  const got = await new Promise<Pick<Fetched, 'sha256' | 'failure'>>((resolve) => {
    const options = { encoding: 'buffer', timeout: 120_000, maxBuffer: 1 << 26 } as const;
    execFile(program, args(`${url}${path}`, key), options, (error, stdout, stderr) => {
      const failure = error && (stderr.toString().trim().replaceAll(key, 'KEY') || error.message);
      resolve({ failure, sha256: error ? null : createHash('sha256').update(stdout).digest('hex') });
    });
  });
  const requests = seen.slice(before);
  return {
    ...got,
    statuses: requests.map(({ status }) => status),
    keys: requests.filter((request) => request.key).length,
  };
}
