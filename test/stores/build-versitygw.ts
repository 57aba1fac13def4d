/**
 * `node test/stores/build-versitygw.ts` prints where versitygw is, an S3 store in Go, and builds it first if it is not there. Ends with
 * status 3, and a sentence, if this machine cannot build it. WHYLIGHT_VERSITYGW names another one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Go checks the module against its checksum database. */
const version = 'v1.8.0';
const cache = fileURLToPath(new URL(`../../node_modules/.cache/versitygw-${version}`, import.meta.url));

/** The program's path. @throws Error with the reason why there is none */
export function findVersitygw(): string {
  const named = process.env.WHYLIGHT_VERSITYGW;
  if (named !== undefined) {
    if (!existsSync(named)) throw new Error(`WHYLIGHT_VERSITYGW: ${named} is not there`);
    return named;
  }
  const path = join(cache, 'versitygw');
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const { error, status, stderr } = spawnSync(
    'go',
    ['install', `github.com/versity/versitygw/cmd/versitygw@${version}`],
    { env: { ...process.env, GOBIN: cache }, encoding: 'utf8', timeout: 15 * 60_000 },
  );
  if (error) throw new Error(`versitygw needs Go to be built: ${error.message}`);
  if (status !== 0) throw new Error(`go install ended with ${status}: ${stderr.trim().split('\n').at(-1)}`);
  return path;
}

if (import.meta.main) {
  try {
    console.log(findVersitygw());
  } catch (error) {
    console.log((error as Error).message);
    process.exitCode = 3;
  }
}
