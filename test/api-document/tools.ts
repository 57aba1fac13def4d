import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(new URL('tools', import.meta.url));

/** Installs the pinned linters and generators into a folder. @throws Error with what npm said */
export function installTools(folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(pinned, folder, { recursive: true });
  const npm = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  if (npm.status !== 0) throw new Error(`npm could not install the linters: ${npm.output}`);
}

/** Runs a program in a folder; programs that `installTools` has brought are found by their names. */
export function run(
  program: string,
  args: readonly string[],
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): { status: number; output: string } {
  const { env } = process;
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...env,
      PATH: `${join(folder, 'node_modules/.bin')}:${env.PATH}`,
      REDOCLY_TELEMETRY: 'off',
      NO_COLOR: '1',
      ...settings,
    },
  });
  return { status: status ?? 1, output: `${stdout ?? ''}${stderr ?? ''}` };
}
