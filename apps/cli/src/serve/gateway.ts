import type { Child } from './child.ts';
import type { Processes } from './processes.ts';
import { programFile } from './program.ts';
import { untilReady } from './readiness.ts';
import { homeIn } from './settings.ts';

interface Place {
  /** The folder of the gateway's bundle. */
  readonly bundle: string;
  /** The folder of all state. */
  readonly directory: string;
  readonly url: string;
  readonly storeUrl: string;
  /** True logs all output of gateway and workerd; false logs only their warnings and failures. */
  readonly verbose: boolean;
}

/** Starts the gateway in workerd, with its database, its queues and the store's S3 endpoint. */
export function startGateway(
  processes: Processes,
  { bundle, directory, url, storeUrl, verbose }: Place,
): Child {
  const ports = ['--port', new URL(url).port, '--store-port', new URL(storeUrl).port];
  const place = ['--bundle', bundle, '--home', homeIn(directory), ...ports];
  return processes.start('gateway', [programFile('#gateway'), ...place, ...(verbose ? ['--verbose'] : [])], {
    NO_COLOR: '1',
  });
}

export const gatewayReady = (child: Child, url: string): Promise<void> => untilReady(child, `${url}/readyz`);
