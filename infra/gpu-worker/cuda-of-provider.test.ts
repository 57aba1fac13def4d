import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('cuda-of-provider.sh', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'whylight-provider-'));
afterAll(() => rmSync(folder, { recursive: true }));

const missing = ['cc', 'readelf'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
if (missing.length > 0)
  console.log(`not shown: ${missing.join(' and ')} not in PATH (apt-get install gcc binutils)`);

/** A library that is linked against others of these names, as the provider is against CUDA's. */
function linkedAgainst(names: readonly string[]): string {
  const source = join(folder, 'empty.c');
  writeFileSync(source, '');
  const link = (name: string, ...more: string[]) => {
    const path = join(folder, name);
    execFileSync('cc', ['-shared', '-nostdlib', '-o', path, source, `-Wl,-soname,${name}`, ...more]);
    return path;
  };
  return link('provider.so', '-Wl,--no-as-needed', ...names.map((name) => link(name)));
}
const run = (path: string) => spawnSync('sh', [script, path], { encoding: 'utf8' });

test.skipIf(missing.length > 0)(
  'it names the CUDA of the runtime and of cuBLAS, and no number of other libraries',
  () => {
    const needed = ['libcublasLt.so.13', 'libcudart.so.13', 'libcufft.so.12', 'libcudnn.so.9'];
    expect(run(linkedAgainst(needed)).stdout).toBe(`cuda 13\n${needed.join('\n')}\n`);
  },
);

test.skipIf(missing.length > 0)('two versions, or none, stop the build', () => {
  const two = run(linkedAgainst(['libcublas.so.12', 'libcudart.so.13']));
  expect([two.status, two.stderr]).toEqual([
    1,
    expect.stringContaining('expected one version of CUDA, got 12 13'),
  ]);
  const none = run(linkedAgainst(['libcudnn.so.9']));
  expect([none.status, none.stderr]).toEqual([
    1,
    expect.stringContaining('got one that needs libcudnn.so.9'),
  ]);
});
