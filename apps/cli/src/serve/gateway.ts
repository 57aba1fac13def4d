import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Child } from './child.ts';
import { migrationsDigest } from './gateway-config.ts';
import type { Processes } from './processes.ts';
import { untilReady } from './readiness.ts';
import { stamp } from './stamp.ts';
import { withoutRemarks } from './wrangler-lines.ts';

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

interface Place {
  /** Path of wrangler's configuration. */
  readonly config: string;
  /** Where all state is. */
  readonly directory: string;
  /** Whether all that wrangler says goes to the log, and not its failures only. */
  readonly verbose: boolean;
}

const filterOf = (verbose: boolean) => (verbose ? undefined : withoutRemarks);

const stateIn = (directory: string): string => join(directory, 'state');

/** Brings the database up to date, if it is not. @throws Failure */
export async function migrate(processes: Processes, { config, directory, verbose }: Place): Promise<void> {
  await stamp(join(directory, 'migrated'), await migrationsDigest(), async () => {
    const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--config', config];
    const apply = [wrangler, ...args, '--persist-to', stateIn(directory)];
    const settings = { ...silence, WRANGLER_LOG: verbose ? 'log' : 'error' };
    const code = await processes.start('migrations', apply, settings, filterOf(verbose)).exited;
    if (code !== 0) throw new Failure('the database could not be brought up to date; the log says why');
  });
}

/** Starts the gateway in workerd, with its S3 endpoint. */
export function startGateway(
  processes: Processes,
  { config, directory, verbose, url }: Place & { readonly url: string },
): Child {
  return processes.start(
    'gateway',
    [
      ...[wrangler, 'dev', '--local', '--config', config, '--persist-to', stateIn(directory)],
      ...['--ip', '127.0.0.1', '--port', new URL(url).port, '--inspector-port', '0'],
      // That workerd crashed is a warning.
      ...['--log-level', verbose ? 'log' : 'warn', '--show-interactive-dev-session=false'],
    ],
    silence,
    filterOf(verbose),
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
