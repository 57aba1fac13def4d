import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readableFolders } from './readable.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'whylight-installed-')));
afterAll(() => rmSync(folder, { recursive: true }));

/** A package as npm installs it. */
function install(name: string, exports: Record<string, string>): string {
  const home = join(folder, 'node_modules', name);
  mkdirSync(home, { recursive: true });
  for (const file of ['index.js', 'shapes/shapes.json']) {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), '');
  }
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name, exports }));
  return home;
}

test('a process with a model reads the installed packages, and neither the folder around them nor data beside them', async () => {
  for (const name of ['contract', 'core', 'host']) install(`@whylight/${name}`, { '.': './index.js' });
  install('@whylight/models', { './*.json': './*.json' });
  const script = join(install('whylight', {}), 'worker/isolation/main.js');
  mkdirSync(join(folder, 'data'));

  const readable = await readableFolders(script);
  expect(readable).toEqual(
    expect.arrayContaining([join(folder, 'node_modules'), join(folder, 'node_modules/whylight')]),
  );
  const reads = (path: string) =>
    readable.some((allowed) => path === allowed || path.startsWith(`${allowed}/`));
  expect([folder, join(folder, 'data'), tmpdir()].filter(reads)).toEqual([]);
});

test('in a clone it reads the workspaces that it runs, and no other', async () => {
  const readable = await readableFolders(join(import.meta.dirname, 'main.ts'));
  const root = realpathSync(join(import.meta.dirname, '../../../..'));
  const names = [
    'apps/gpu-worker',
    'packages/contract',
    'packages/core',
    'packages/host',
    'models',
    'node_modules',
  ];
  expect(readable.filter((path) => path.startsWith(root)).sort()).toEqual(
    names.map((name) => join(root, name)).sort(),
  );
});
