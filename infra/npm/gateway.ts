import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Builds the gateway that `whylight serve` runs into `folder`, with the page and the script of /docs beside it. */
export function buildGateway(root: string, folder: string): void {
  execFileSync(process.execPath, [join(root, 'apps/cli/src/serve/gateway/build.ts'), folder], {
    env: { ...process.env, WRANGLER_LOG: 'error', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
    stdio: 'inherit',
  });
}
