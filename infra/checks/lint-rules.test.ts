import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { importRules } from './import-rules.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A file, its text, and the rule of biome.json that must refuse it; null where it must pass. */
const cases: readonly (readonly [path: string, text: string, rule: string | null])[] = [
  ['packages/core/src/a.ts', "import 'node:fs';", 'noNodejsModules'],
  ['packages/client/src/a.ts', "import 'node:crypto';", 'noNodejsModules'],
  ['apps/edge/src/c.ts', "import 'node:fs';", 'noNodejsModules'],
  ['packages/core/src/b.ts', "import 'onnxruntime-node';", 'noUndeclaredDependencies'],
  ['packages/core/src/c.ts', "import 'sharp';", 'noUndeclaredDependencies'],
  ['packages/core/src/d.ts', "import '@whylight/host';", 'noUndeclaredDependencies'],
  ['packages/contract/src/a.ts', "import '@whylight/core';", 'noUndeclaredDependencies'],
  ['packages/host/src/a.ts', "import 'onnxruntime-node';\nimport 'sharp';\nimport '@whylight/core';", null],
  ['packages/host/src/b.ts', "import '@whylight/gpu-worker';", 'noUndeclaredDependencies'],
  ['apps/gpu-worker/src/a.ts', "import 'onnxruntime-node';", 'noUndeclaredDependencies'],
  ['apps/gpu-worker/src/b.ts', "import 'sharp';", 'noUndeclaredDependencies'],
  ['apps/gpu-worker/src/c.ts', "import '@whylight/edge';", 'noUndeclaredDependencies'],
  ['apps/cli/src/a.ts', "import 'sharp';", 'noUndeclaredDependencies'],
  ['apps/edge/src/d.ts', "import '@whylight/host';", 'noUndeclaredDependencies'],
  ['packages/host/src/d.ts', "import './e.ts';", 'noImportCycles'],
  ['packages/host/src/e.ts', "import './d.ts';", 'noImportCycles'],
  // Types count: rooms that know each other only by types still cannot be understood one after the other.
  ['packages/host/src/f.ts', "import type { G } from './g.ts';\nexport type F = G;", 'noImportCycles'],
  ['packages/host/src/g.ts', "import { type H } from './h.ts';\nexport type G = H;", 'noImportCycles'],
  ['packages/host/src/h.ts', "export type { F as H } from './f.ts';", 'noImportCycles'],
  ['packages/core/src/e.ts', 'export const home = process.env.HOME;', 'noProcessEnv'],
  ['apps/gpu-worker/src/e.ts', 'export const port = process.env.PORT;', 'noProcessEnv'],
  ['apps/gpu-worker/src/env.ts', 'export const port = process.env.PORT;', null],
  ['apps/cli/src/b.ts', 'export const home = process.env.HOME;', null],
  ['apps/edge/src/domain/e.ts', 'export type Store = D1Database;', 'noRestrictedTypes'],
];

const rules = new Set(cases.flatMap(([, , rule]) => rule ?? []));
/** Paths and the rules that refuse them. */
const refused = new Map<string, string[]>();

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string };
}

// Rules of an override in biome.json replace those before it, so a slip there would not be seen otherwise.
beforeAll(() => {
  const copy = mkdtempSync(join(tmpdir(), 'whylight-lint-rules-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  };
  try {
    const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    write('biome.json', JSON.stringify({ ...config, vcs: { enabled: false } }));
    for (const home of Object.keys(importRules))
      write(`${home}/package.json`, readFileSync(join(root, home, 'package.json'), 'utf8'));
    for (const [path, text] of cases) write(path, `${text}\n`);
    const { stdout } = spawnSync(
      join(root, 'node_modules/.bin/biome'),
      ['lint', '--reporter=json', '--max-diagnostics=none', '.'],
      { cwd: copy, encoding: 'utf8' },
    );
    for (const { category, location } of JSON.parse(stdout).diagnostics as Diagnostic[])
      refused.set(location.path, [...(refused.get(location.path) ?? []), category.split('/').at(-1)!]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

test.each(cases)('%s: %s', (path, _, rule) => {
  expect((refused.get(path) ?? []).filter((each) => rules.has(each))).toEqual(rule ? [rule] : []);
});

// Biome finds circles in import and export declarations, and not in these.
test('no source names another file of its package in import(...), where Biome would not see a circle', () => {
  const sources = globSync('{packages,apps}/*/src/**/*.ts', { cwd: root }).filter(
    (path) => !path.endsWith('.test.ts'),
  );
  expect(sources.length).toBeGreaterThan(500);
  const hidden = sources.filter((path) =>
    /\bimport\(\s*['"`]\./.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(hidden, 'import it at the head of the file').toEqual([]);
});
