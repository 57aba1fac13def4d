import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(new URL('tools', import.meta.url));

/** Installs the pinned linters and generators into a folder. @returns what npm said if it could not, else null */
export function installTools(folder: string): string | null {
  mkdirSync(folder, { recursive: true });
  cpSync(pinned, folder, { recursive: true });
  // The certificates of the machine count too: a proxy may have its own authority.
  const settings = { NODE_USE_SYSTEM_CA: '1' };
  const npm = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder, settings);
  return npm.status === 0 ? null : `npm could not install the tools: ${npm.output}`;
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
