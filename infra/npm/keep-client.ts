/**
 * `node infra/npm/keep-client.ts`: builds `@whylight/client` as npm gets it, and keeps it as one file for the test that has it talk to
 * the gateway of later releases. Run it at each release, and at no other time: the kept client is that of a release.
 */
import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildPackages } from './build.ts';

const kept = fileURLToPath(new URL('../../apps/edge/test/kept-client/generated', import.meta.url));

const [contract, client] = buildPackages(['packages/contract', 'packages/client']);
for (const file of globSync('*.js', { cwd: kept })) rmSync(join(kept, file));
await build({
  entryPoints: [join(client!.folder, 'dist/index.js')],
  outfile: join(kept, 'whylight-client.js'),
  alias: { '@whylight/contract': join(contract!.folder, 'dist/index.js') },
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  external: ['zod'],
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
});
