import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Child } from './child.ts';
import { migrationsDigest } from './gateway-config.ts';
import type { Processes } from './processes.ts';
import { untilReady } from './readiness.ts';
import { stamp } from './stamp.ts';

const wrangler = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'bin',
  'wrangler.js',
);
const silence = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CI: 'true',
  NO_COLOR: '1',
};

const stateIn = (directory: string): string => join(directory, 'state');

/** Brings the database up to date, if it is not. @throws Failure */
export async function migrate(processes: Processes, config: string, directory: string): Promise<void> {
  await stamp(join(directory, 'migrated'), await migrationsDigest(), async () => {
    const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--config', config];
    const apply = [wrangler, ...args, '--persist-to', stateIn(directory)];
    const code = await processes.start('migrations', apply, silence).exited;
    if (code !== 0) throw new Failure('the database could not be brought up to date; the log says why');
  });
}

/** Starts the gateway in workerd, with its S3 endpoint. */
export function startGateway(processes: Processes, config: string, directory: string, url: string): Child {
  return processes.start(
    'gateway',
    [
      ...[wrangler, 'dev', '--local', '--config', config, '--persist-to', stateIn(directory)],
      ...['--ip', '127.0.0.1', '--port', new URL(url).port, '--inspector-port', '0', '--log-level', 'warn'],
      '--show-interactive-dev-session=false',
    ],
    silence,
  );
}

export const gatewayReady = (child: Child, url: string): Promise<void> => untilReady(child, `${url}/readyz`);

/**
 * Resolves when the gateway is of no use any more. Wrangler starts a workerd that died again, but its proxy does not
 * find the new one: requests hang from then on.
 */
export const gatewayLost = async (child: Child): Promise<number | string> =>
  (await child.line((line) =>
    line.includes('runtime crashed unexpectedly') ? 'workerd crashed' : undefined,
  )) ?? child.exited;
