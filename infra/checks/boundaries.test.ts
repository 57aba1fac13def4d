import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const workspaces = [
  'packages/client',
  'packages/contract',
  'packages/core',
  'packages/host',
  'apps/cli',
  'apps/edge',
  'apps/gpu-worker',
];

/** Where a line stands, the line, and the rule that must refuse it; null where it must pass. */
const cases: readonly (readonly [path: string, line: string, rule: string | null])[] = [
  ['packages/core/src/tensor.ts', "import './onnx/graph.ts';", 'noRestrictedImports'],
  ['packages/core/src/errors.ts', "import './onnx/graph.ts';", 'noRestrictedImports'],
  ['packages/core/src/npy.ts', "import './programs/batch.ts';", 'noRestrictedImports'],
  ['packages/core/src/onnx/a.ts', "import '../tensor.ts';", null],
  ['packages/core/src/onnx/b.ts', "import '../autodiff/gradient.ts';", 'noRestrictedImports'],
  ['packages/core/src/onnx/deep/c.ts', "import '../../methods/index.ts';", 'noRestrictedImports'],
  ['packages/core/src/onnx/d.ts', "import '../operators/table.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/onnx/e.ts',
    "import type { Operator } from '../operators/operator.ts';\nexport type Row = Operator;",
    'noRestrictedImports',
  ],
  ['packages/core/src/onnx/f.test.ts', "import '../operators/new-graph.ts';", null],
  ['packages/core/src/operators/a.ts', "import '../onnx/builder.ts';", null],
  ['packages/core/src/operators/b.ts', "import '../lowering/canonicalize.ts';", 'noRestrictedImports'],
  ['packages/core/src/operators/c.test.ts', "import '../autodiff/gradient.ts';", null],
  ['packages/core/src/operators/vjp/d.ts', "import '../../autodiff/gradient.ts';", 'noRestrictedImports'],
  ['packages/core/src/lowering/a.ts', "import '../operators/table.ts';", null],
  ['packages/core/src/lowering/functions/b.ts', "import '../../autodiff/path.ts';", 'noRestrictedImports'],
  ['packages/core/src/lowering/c.ts', "import '../model/classifier.ts';", 'noRestrictedImports'],
  ['packages/core/src/autodiff/d.ts', "import '../lowering/canonicalize.ts';", null],
  ['packages/core/src/autodiff/a.ts', "import '../onnx/graph.ts';", null],
  ['packages/core/src/incremental/a.ts', "import '../onnx/graph.ts';", null],
  ['packages/core/src/incremental/b.ts', "import '../methods/method.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/autodiff/b.ts',
    "import type { M } from '../methods/method.ts';\nexport type N = M;",
    'noRestrictedImports',
  ],
  [
    'packages/core/src/autodiff/deep/c.ts',
    "export * from '../../runtime/runtime.ts';",
    'noRestrictedImports',
  ],
  ['packages/core/src/model/a.ts', "import '../onnx/graph.ts';", null],
  ['packages/core/src/model/b.ts', "import '../layers/layers.ts';", 'noRestrictedImports'],
  ['packages/core/src/layers/a.ts', "import '../autodiff/path.ts';\nimport '../model/classifier.ts';", null],
  ['packages/core/src/layers/b.ts', "import '../methods/method.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/methods/a.ts',
    "import '../autodiff/gradient.ts';\nimport '../layers/attention.ts';",
    null,
  ],
  [
    'packages/core/src/methods/b.ts',
    "import type { R } from '../runtime/runtime.ts';\nexport type S = R;",
    'noRestrictedImports',
  ],
  ['packages/core/src/methods/c.ts', "import '../image/resize.ts';", 'noRestrictedImports'],
  ['packages/core/src/methods/d.ts', "import '../programs/trace.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/methods/cams/e.ts',
    "import type { Program } from '../../programs/trace.ts';\nexport type P = Program;",
    'noRestrictedImports',
  ],
  ['packages/core/src/onnx/g.ts', "import '../programs/block.ts';", 'noRestrictedImports'],
  ['packages/core/src/operators/e.ts', "import '../programs/block.ts';", 'noRestrictedImports'],
  ['packages/core/src/lowering/d.ts', "import '../programs/built.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/autodiff/e.ts',
    "import type { Block } from '../programs/block.ts';\nexport type B = Block;",
    'noRestrictedImports',
  ],
  ['packages/core/src/incremental/c.ts', "import '../programs/rows.ts';", 'noRestrictedImports'],
  ['packages/core/src/model/c.ts', "import '../programs/network.ts';", 'noRestrictedImports'],
  ['packages/core/src/layers/c.ts', "import '../programs/network.ts';", 'noRestrictedImports'],
  ['packages/core/src/runtime/c.ts', "import '../programs/loaded.ts';", 'noRestrictedImports'],
  ['packages/core/src/image/d.ts', "import '../programs/batch.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/programs/a.ts',
    "import '../methods/method.ts';\nimport type { Runtime } from '../runtime/runtime.ts';\nexport type R = Runtime;",
    null,
  ],
  ['packages/core/src/runtime/a.ts', "import '../onnx/graph.ts';", 'noRestrictedImports'],
  ['packages/core/src/image/a.ts', "import '../tensor.ts';", null],
  ['packages/core/src/runtime/b.ts', "import '../operators/table.ts';", 'noRestrictedImports'],
  ['packages/core/src/image/c.ts', "import '../lowering/peak.ts';", 'noRestrictedImports'],
  ['packages/core/src/image/b.ts', "import '../methods/index.ts';", 'noRestrictedImports'],
  [
    'packages/core/src/methods/f.ts',
    "import type { H } from './g.ts';\nexport type F = H;\nexport type G = 1;",
    'noImportCycles',
  ],
  [
    'packages/core/src/methods/g.ts',
    "import type { G } from './f.ts';\nexport type I = G;\nexport type H = 1;",
    'noImportCycles',
  ],
  ['packages/core/src/a.ts', "import 'node:fs';", 'noNodejsModules'],
  ['packages/core/src/b.ts', "import 'onnxruntime-node';", 'noUndeclaredDependencies'],
  ['packages/core/src/c.ts', "import 'sharp';", 'noUndeclaredDependencies'],
  ['packages/core/src/d.ts', "import '@whylight/host';", 'noUndeclaredDependencies'],
  ['packages/core/src/e.ts', 'export const home = process.env.HOME;', 'noProcessEnv'],
  ['packages/core/src/f.ts', "import '../../host/src/index.ts';", 'noRestrictedImports'],
  ['packages/contract/src/a.ts', "import '@whylight/core';", 'noUndeclaredDependencies'],
  ['packages/client/src/a.ts', "import 'node:crypto';", 'noNodejsModules'],
  ['packages/host/src/a.ts', "import 'onnxruntime-node';\nimport 'sharp';\nimport '@whylight/core';", null],
  ['packages/host/src/b.ts', "import '@whylight/gpu-worker';", 'noUndeclaredDependencies'],
  ['packages/host/src/c.ts', "import 'cloudflare:workers';", 'noRestrictedImports'],
  ['packages/host/src/d.ts', "import './e.ts';", 'noImportCycles'],
  ['packages/host/src/e.ts', "import './d.ts';", 'noImportCycles'],
  // Types count: rooms that know each other only by types still cannot be understood one after the other.
  ['packages/host/src/f.ts', "import type { G } from './g.ts';\nexport type F = G;", 'noImportCycles'],
  ['packages/host/src/g.ts', "import { type H } from './h.ts';\nexport type G = H;", 'noImportCycles'],
  ['packages/host/src/h.ts', "export type { F as H } from './f.ts';", 'noImportCycles'],
  ['packages/host/src/codec/a.ts', "import '../thread-end.ts';\nimport './bmp.ts';", null],
  ['packages/host/src/codec/b.ts', "import '../models/manifest.ts';", 'noRestrictedImports'],
  ['packages/host/src/models/a.ts', "import '../runtime/runtime.ts';", 'noRestrictedImports'],
  ['packages/host/src/runtime/a.ts', "export * from '../scheduling/fair-runtime.ts';", 'noRestrictedImports'],
  ['packages/host/src/scheduling/a.ts', "import '../runtime/runtime.ts';", null],
  ['packages/host/src/scheduling/b.ts', "import '../models/registry.ts';", 'noRestrictedImports'],
  [
    'packages/host/src/classification/a.ts',
    "import '../codec/decode.ts';\nimport '../models/labels.ts';",
    null,
  ],
  ['packages/host/src/classification/b.ts', "import '../rendering/rendering.ts';", 'noRestrictedImports'],
  ['packages/host/src/rendering/a.ts', "import '../classification/predictions.ts';", null],
  [
    'packages/host/src/rendering/b.ts',
    "import type { Result } from '../explanation/result.ts';\nexport type Drawn = Result;",
    'noRestrictedImports',
  ],
  ['packages/host/src/rendering/c.ts', "import '../models/registry.ts';", 'noRestrictedImports'],
  ['packages/host/src/explanation/a.ts', "import '../rendering/rendering.ts';", null],
  ['packages/host/src/explanation/b.ts', "import '../checking/check-model.ts';", 'noRestrictedImports'],
  ['packages/host/src/checking/a.ts', "import '../explanation/plan.ts';", null],
  ['apps/gpu-worker/src/a.ts', "import 'onnxruntime-node';", 'noUndeclaredDependencies'],
  ['apps/gpu-worker/src/b.ts', "import 'sharp';", 'noUndeclaredDependencies'],
  ['apps/gpu-worker/src/c.ts', "import '@whylight/edge';", 'noUndeclaredDependencies'],
  ['apps/gpu-worker/src/d.ts', "import '../../edge/src/index.ts';", 'noRestrictedImports'],
  ['apps/gpu-worker/src/e.ts', 'export const port = process.env.PORT;', 'noProcessEnv'],
  ['apps/gpu-worker/src/env.ts', 'export const port = process.env.PORT;', null],
  ['apps/gpu-worker/src/storage/a.ts', "import '../jobs/run-job.ts';", 'noRestrictedImports'],
  ['apps/gpu-worker/src/telemetry/a.ts', "import '../isolation/tenant-models.ts';", 'noRestrictedImports'],
  ['apps/gpu-worker/src/isolation/a.ts', "import '../storage/storage.ts';", null],
  ['apps/gpu-worker/src/isolation/b.ts', "import '../jobs/run-job.ts';", 'noRestrictedImports'],
  ['apps/gpu-worker/src/jobs/a.ts', "import '../isolation/tenant-models.ts';", null],
  ['apps/cli/src/a.ts', "import 'sharp';", 'noUndeclaredDependencies'],
  ['apps/cli/src/b.ts', 'export const home = process.env.HOME;', null],
  [
    'apps/edge/src/a.ts',
    "import 'cloudflare:workers';\nimport '@whylight/core/methods';\nimport 'hono';",
    null,
  ],
  ['apps/edge/src/b.ts', "import '@whylight/core';", 'noRestrictedImports'],
  ['apps/edge/src/c.ts', "import 'node:fs';", 'noNodejsModules'],
  ['apps/edge/src/d.ts', "import '@whylight/host';", 'noUndeclaredDependencies'],
  ['apps/edge/src/storage/a.ts', "import '../domain/ulid.ts';", null],
  ['apps/edge/src/storage/b.ts', "import '../use-cases/creation.ts';", 'noRestrictedImports'],
  ['apps/edge/src/storage/c.ts', "import '@whylight/core';", 'noRestrictedImports'],
  ['apps/edge/src/use-cases/a.ts', "import '../storage/tenants.ts';", null],
  ['apps/edge/src/use-cases/b.ts', "import '../middleware/authenticate.ts';", 'noRestrictedImports'],
  ['apps/edge/src/use-cases/c.ts', "import '@whylight/core';", 'noRestrictedImports'],
  [
    'apps/edge/src/durable-objects/a.ts',
    "import 'cloudflare:workers';\nimport '../use-cases/creation.ts';",
    null,
  ],
  [
    'apps/edge/src/durable-objects/computation/a.ts',
    "import { Hono } from 'hono';\nexport { Hono };",
    'noRestrictedImports',
  ],
  ['apps/edge/src/domain/a.ts', "import 'hono';", 'noRestrictedImports'],
  ['apps/edge/src/domain/b.ts', "import 'hono/http-exception';", 'noRestrictedImports'],
  ['apps/edge/src/domain/c.ts', "import 'cloudflare:workers';", 'noRestrictedImports'],
  ['apps/edge/src/domain/d.ts', "import '../storage/tenants.ts';", 'noRestrictedImports'],
  ['apps/edge/src/domain/e.ts', 'export type Store = D1Database;', 'noRestrictedTypes'],
  ['apps/edge/src/domain/f.ts', "import 'aws4fetch';", 'noRestrictedImports'],
  ['apps/edge/src/domain/g.ts', "import '../use-cases/creation.ts';", 'noRestrictedImports'],
];

const boundaryRules = new Set(cases.flatMap(([, , rule]) => rule ?? []));
/** Paths and the rules that refuse them. */
const refused = new Map<string, string[]>();

/** Lints a house of our biome.json, our manifests and no code but the lines above. */
beforeAll(() => {
  const house = mkdtempSync(join(tmpdir(), 'whylight-boundaries-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
  };
  try {
    const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    write('biome.json', JSON.stringify({ ...config, vcs: { enabled: false } }));
    for (const workspace of workspaces)
      write(`${workspace}/package.json`, readFileSync(join(root, workspace, 'package.json'), 'utf8'));
    for (const [path, line] of cases) write(path, `${line}\n`);
    const { diagnostics } = JSON.parse(lint(house));
    for (const { category, location } of diagnostics as Diagnostic[]) {
      const rule = category.split('/').at(-1)!;
      refused.set(location.path, [...(refused.get(location.path) ?? []), rule]);
    }
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
});

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string };
}

function lint(cwd: string): string {
  const biome = join(root, 'node_modules/.bin/biome');
  const { stdout } = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none', '.'], {
    cwd,
    encoding: 'utf8',
  });
  return stdout;
}

test.each(cases)('%s: %s', (path, _, rule) => {
  const rules = (refused.get(path) ?? []).filter((each) => boundaryRules.has(each));
  expect(rules).toEqual(rule ? [rule] : []);
});

// Biome finds circles in import and export declarations, and not in these.
test('no source names another file of its room in import(...), where a circle would not be seen', () => {
  const sources = globSync('{packages,apps}/*/src/**/*.ts', { cwd: root }).filter(
    (path) => !path.endsWith('.test.ts'),
  );
  expect(sources.length).toBeGreaterThan(500);
  const hidden = sources.filter((path) =>
    /\bimport\(\s*['"`]\./.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(hidden, 'import it at the head of the file').toEqual([]);
});

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const packageOf = (workspace: string): Package =>
  JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8'));

/** noUndeclaredDependencies holds code to its manifest; this holds the manifests to docs/architecture.md. */
test.each([
  ['packages/core', []],
  ['packages/contract', []],
  ['packages/host', ['contract', 'core']],
  ['packages/client', ['contract']],
  ['apps/edge', ['contract', 'core']],
  ['apps/gpu-worker', ['contract', 'core', 'host']],
  ['apps/cli', ['client', 'contract', 'core', 'host']],
])('%s depends on no other room than %j', (workspace, rooms) => {
  const ours = Object.keys(packageOf(workspace).dependencies ?? {}).filter((name) =>
    name.startsWith('@whylight/'),
  );
  expect(rooms.map((room) => `@whylight/${room}`)).toEqual(expect.arrayContaining(ours));
});

test.each(['onnxruntime-node', 'sharp', 'fontkit'])('packages/host alone is shipped with %s', (name) => {
  expect(workspaces.filter((workspace) => name in (packageOf(workspace).dependencies ?? {}))).toEqual([
    'packages/host',
  ]);
});

test('apps/edge alone has Cloudflare types', () => {
  const all = (workspace: string) => ({
    ...packageOf(workspace).dependencies,
    ...packageOf(workspace).devDependencies,
  });
  expect(workspaces.filter((workspace) => '@cloudflare/workers-types' in all(workspace))).toEqual([
    'apps/edge',
  ]);
});
