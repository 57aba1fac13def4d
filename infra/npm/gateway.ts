import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The only file of the gateway's assets that it serves: the script of the page /docs. */
const script = 'standalone.js';

/** Builds the gateway that `whylight serve` runs into `folder`, with its asset beside it. */
export function buildGateway(root: string, folder: string): void {
  execFileSync(process.execPath, [join(root, 'apps/cli/src/serve/gateway/build.ts'), folder], {
    env: { ...process.env, WRANGLER_LOG: 'error', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
    stdio: 'inherit',
  });
  const file = join(folder, 'gateway.json');
  const bundled = JSON.parse(readFileSync(file, 'utf8'));
  const { assets } = bundled.options;
  mkdirSync(join(folder, 'assets'));
  cpSync(join(resolve(folder, assets.directory), script), join(folder, 'assets', script));
  bundled.options.assets = { ...assets, directory: 'assets' };
  writeFileSync(file, JSON.stringify(bundled, null, 2));
}
