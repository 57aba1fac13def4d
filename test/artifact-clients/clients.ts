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

const byLibrary = (language: string, program: string, file: string, libraries: readonly string[]): Client[] =>
  libraries.map((library) => ({
    name: `${language} ${library}`,
    program,
    args: (url, key) => [file, library, url, key],
  }));

export const inNode = (folder: string, libraries: readonly string[]): Client[] =>
  byLibrary('Node', process.execPath, programIn(folder, 'node.mjs'), libraries);

export const inPython = (folder: string, python: string, libraries: readonly string[]): Client[] =>
  byLibrary('Python', python, programIn(folder, 'python.py'), libraries);

export const inJava = (folder: string): Client[] =>
  byLibrary('Java', 'java', programIn(folder, 'Client.java'), ['HttpClient', 'HttpURLConnection']);

export const inGo = (folder: string): Client[] => {
  const file = programIn(folder, 'client.go');
  return [{ name: 'Go net/http', program: 'go', args: (url, key) => ['run', file, url, key] }];
};

/** What a client got, and what the store's front saw of it meanwhile. */
export interface Fetched {
  readonly sha256: string;
  /** Requests to the store, and how many of them had the key. */
  readonly requests: number;
  readonly keys: number;
}

/** Fetches a path of the API by a client. @throws Error with what the client has said, unless it ends with 0 */
export async function fetchBy(
  { program, args }: Client,
  { url, seen }: Fronts,
  path: string,
  key: string,
): Promise<Fetched> {
  const before = seen.length;
  const body = await new Promise<Buffer>((resolve, reject) => {
    const options = { encoding: 'buffer', timeout: 120_000, maxBuffer: 1 << 26 } as const;
    execFile(program, args(`${url}${path}`, key), options, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${program}: ${stderr.toString().replaceAll(key, 'KEY') || error.message}`));
      else resolve(stdout);
    });
  });
  const requests = seen.slice(before);
  return {
    sha256: createHash('sha256').update(body).digest('hex'),
    requests: requests.length,
    keys: requests.filter((request) => request.key).length,
  };
}
