import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { importRules } from './import-rules.ts';
import { importsOf, refusalOf } from './imports.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const packages = Object.entries(importRules);
const rows = packages.flatMap(([home, { rooms = {} }]) =>
  Object.entries(rooms).map(([room, allowed]) => ({ home, room, allowed: allowed.split(' ') })),
);

test('every source imports only what the table allows', () => {
  const sources = globSync('{packages,apps}/*/{src,bin}/**/*.{ts,tsx,js}', { cwd: root });
  expect(sources.length).toBeGreaterThan(500);
  const refusals = sources.flatMap((path) =>
    importsOf(path, read(path)).flatMap((name) => refusalOf(path, name) ?? []),
  );
  expect(refusals).toEqual([]);
});

// A room that lists no room of a later row can import none in a circle.
test.each(rows)('$home: $room names rooms that exist, of rows above its own', ({ home, room, allowed }) => {
  const rooms = Object.keys(importRules[home]!.rooms!);
  const above = new Set(['.', '', '*', ...rooms.slice(0, rooms.indexOf(room))]);
  expect(room === '.' ? [] : allowed.filter((one) => !above.has(one))).toEqual([]);
  expect(globSync(`${home}/src/${room}`, { cwd: root }), 'delete the row').toHaveLength(1);
});

/** A file, what it imports, and a part of the refusal; null where it is allowed. */
const examples: readonly (readonly [path: string, text: string, refusal: string | null])[] = [
  [
    'packages/core/src/tensor.ts',
    "import './onnx/graph.ts';",
    'files of src itself may import no other room',
  ],
  ['packages/core/src/onnx/a.ts', "import '../tensor.ts';", null],
  ['packages/core/src/onnx/deep/a.ts', "import '../../methods/index.ts';", 'onnx may import'],
  ['packages/core/src/onnx/a.ts', "import '../index.ts';", 'not index.ts'],
  ['packages/core/src/operators/a.ts', "import '../lowering/canonicalize.ts';", 'not lowering'],
  ['packages/core/src/operators/a.test.ts', "import '../autodiff/gradient.ts';", null],
  ['packages/core/src/lowering/a.ts', "import '../model/classifier.ts';", 'not model'],
  ['packages/core/src/model/a.ts', "import '../layers/layers.ts';", 'not layers'],
  ['packages/core/src/autodiff/a.ts', "import type { M } from '../methods/method.ts';", 'not methods'],
  ['packages/core/src/incremental/a.ts', "export * from '../programs/rows.ts';", 'not programs'],
  ['packages/core/src/layers/a.ts', "export type { M } from '../methods/method.ts';", 'not methods'],
  ['packages/core/src/methods/a.ts', "import { type R } from '../runtime/runtime.ts';", 'not runtime'],
  ['packages/core/src/methods/a.ts', "type R = import('../image/picture.ts').Picture;", 'not image'],
  ['packages/core/src/runtime/a.ts', "import '../onnx/graph.ts';", 'not onnx'],
  ['packages/core/src/image/a.ts', "await import('../programs/batch.ts');", 'not programs'],
  ['packages/core/src/drawing/a.ts', "import '../methods/index.ts';", 'not methods'],
  ['packages/core/src/image/a.ts', "import '../drawing/paint.ts';", 'not drawing'],
  ['packages/core/src/programs/a.ts', "import '../testing/index.ts';", 'not testing'],
  ['packages/core/src/metrics/a.ts', "import '../image/picture.ts';", 'not image'],
  ['packages/core/src/empty-attribution.ts', "import './layers/find.ts';", 'not layers'],
  ['packages/core/src/found-samples.ts', "import './layers/find.ts';", 'not layers'],
  ['packages/core/src/preparation/a.ts', "import '../autodiff/gradient.ts';", 'not autodiff'],
  [
    'packages/core/src/a.ts',
    "import '@whylight/host';",
    'packages/core may import no other package; not host',
  ],
  ['packages/core/src/new/a.ts', "import '../tensor.ts';", 'the folder new has no rules'],
  ['packages/contract/src/a.ts', "import '@whylight/core';", 'not core'],
  ['packages/client/src/a.ts', "import '@whylight/core/methods';", 'not core/methods'],
  ['packages/web/src/a.ts', "import '@whylight/host';", 'not host'],
  ['apps/web/src/state/a.ts', "import '../view/page.tsx';", 'not view'],
  ['apps/web/src/drawing/a.ts', "import 'preact/hooks';", 'may import it'],
  ['apps/web/src/engine/a.ts', "import '@whylight/host';", 'not host'],
  ['apps/web/src/photo/a.ts', "import '../engine/engine.ts';", 'not engine'],
  ['apps/web/src/words/a.ts', "import '../view/page.tsx';", 'not view'],
  ['apps/web/src/first/a.ts', "import '../engine/engine.ts';", 'not engine'],
  ['apps/web/src/workbench/a.ts', "import '../view/page.tsx';", 'not view'],
  ['apps/web/src/take-away/a.ts', "import '../workbench/workbench.ts';", 'not workbench'],
  ['apps/web/src/service-worker/a.ts', "import '../state/session.ts';", 'not state'],
  ['apps/web/src/view/a.ts', "import '../service-worker/offline.ts';", 'not service-worker'],
  ['packages/host/src/thread-end.ts', "import './models/registry.ts';", 'not models'],
  ['packages/host/src/codec/a.ts', "import '../models/manifest.ts';", 'not models'],
  ['packages/host/src/models/a.ts', "import '../runtime/runtime.ts';", 'not runtime'],
  ['packages/host/src/runtime/a.ts', "import '../scheduling/fair-runtime.ts';", 'not scheduling'],
  ['packages/host/src/scheduling/a.ts', "import '../models/registry.ts';", 'not models'],
  ['packages/host/src/classification/a.ts', "import '../rendering/rendering.ts';", 'not rendering'],
  ['packages/host/src/rendering/a.ts', "import '../models/registry.ts';", 'not models'],
  ['packages/host/src/explanation/a.ts', "import '../checking/check-model.ts';", 'not checking'],
  ['packages/host/src/checking/a.ts', "import '../testing/network.ts';", 'not testing'],
  ['packages/host/src/models/a.ts', "import 'onnxruntime-node';", 'only runtime may import it'],
  ['packages/host/src/a.ts', "import '../../core/src/index.ts';", 'a path into packages/core'],
  ['packages/host/src/a.ts', "import 'cloudflare:workers';", 'only the gateway'],
  ['apps/edge/src/domain/a.ts', "import '../env.ts';", 'not files of src itself'],
  ['apps/edge/src/domain/a.ts', "import 'hono/http-exception';", 'may import it'],
  ['apps/edge/src/domain/a.ts', "import 'cloudflare:workers';", 'only durable-objects'],
  ['apps/edge/src/domain/a.ts', "import 'aws4fetch';", 'only storage'],
  ['apps/edge/src/storage/a.ts', "import '../use-cases/creation.ts';", 'not use-cases'],
  ['apps/edge/src/routes/a.ts', "import '../generated/examples.json';", 'not generated'],
  ['apps/edge/src/generated/a.ts', "import '../env.ts';", 'not files of src itself'],
  ['apps/edge/src/middleware/a.ts', "import '../routes/keys.ts';", 'not routes'],
  ['apps/edge/src/paging.ts', "import './routes/keys.ts';", 'not routes'],
  ['apps/edge/src/http/a.ts', "import '../routes/keys.ts';", 'not routes'],
  ['apps/edge/src/use-cases/a.ts', "import '@hono/zod-openapi';", 'may import it'],
  ['apps/edge/src/use-cases/a.ts', "import '../middleware/authenticate.ts';", 'not middleware'],
  ['apps/edge/src/durable-objects/deep/a.ts', "import '../../routes/keys.ts';", 'not routes'],
  ['apps/edge/src/generated/a.ts', "import '../domain/ulid.ts';", 'not domain'],
  ['apps/edge/src/routes/a.ts', "import '../durable-objects/batch.ts';", 'not durable-objects'],
  ['apps/edge/src/routes/a.ts', "import '@whylight/core';", 'contract, core/methods; not core'],
  ['apps/edge/src/routes/a.ts', "import { Hono } from 'hono';\nimport '@whylight/core/methods';", null],
  ['apps/gpu-worker/src/env.ts', "import './jobs/run-job.ts';", 'not jobs'],
  ['apps/gpu-worker/src/storage/a.ts', "import '../jobs/run-job.ts';", 'not jobs'],
  ['apps/gpu-worker/src/telemetry/a.ts', "import '../isolation/tenant-models.ts';", 'not isolation'],
  ['apps/gpu-worker/src/isolation/a.ts', "import '../jobs/run-job.ts';", 'not jobs'],
  ['apps/gpu-worker/src/jobs/a.ts', "import '../worker.ts';", 'not worker.ts'],
  ['apps/gpu-worker/src/catalog-check.ts', "import './jobs/claim.ts';", 'not jobs'],
  ['apps/gpu-worker/src/state.ts', "import './app.ts';", 'not app.ts'],
  ['apps/gpu-worker/src/kserve/a.ts', "import '../app.ts';", 'not app.ts'],
  ['apps/gpu-worker/src/a.ts', "import '@whylight/edge';", 'not edge'],
  ['apps/cli/src/a.ts', "import '../../edge/src/index.ts';", 'a path into apps/edge'],
  ['apps/cli/src/a.ts', "import '@whylight/gpu-worker';", 'not gpu-worker'],
  ['apps/new/src/a.ts', "import 'zod';", 'apps/new has no rules'],
];

describe('the table refuses', () => {
  test.each(examples)('%s: %s', (path, text, refusal) => {
    const refusals = importsOf(path, text).map((name) => refusalOf(path, name));
    expect(refusals[0]).toEqual(refusal === null ? null : expect.stringContaining(refusal));
  });

  test('something in each room that may not import everything, and in each package', () => {
    const refused = examples.flatMap(([path, , refusal]) => (refusal === null ? [] : [path]));
    const isCovered = ({ home, room }: (typeof rows)[number]) =>
      refused.some((path) => path.startsWith(`${home}/src/${room === '.' ? '' : room}`));
    expect(rows.filter((row) => !row.allowed.includes('*') && !isCovered(row))).toEqual([]);
    expect(packages.filter(([home]) => !refused.some((path) => path.startsWith(`${home}/`)))).toEqual([]);
  });
});

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const manifestOf = (home: string): Manifest => JSON.parse(read(`${home}/package.json`));
const withDependency = (name: string, kinds: readonly (keyof Manifest)[] = ['dependencies']): string[] =>
  packages.flatMap(([home]) => (kinds.some((kind) => name in (manifestOf(home)[kind] ?? {})) ? [home] : []));

// Biome holds code to its manifest (noUndeclaredDependencies). This holds the manifests to the table.
test.each(packages)(
  '%s declares no package of ours that it may not import',
  (home, { packages: allowed }) => {
    const ours = Object.keys(manifestOf(home).dependencies ?? {}).filter((name) =>
      name.startsWith('@whylight/'),
    );
    const names = allowed.split(' ').map((name) => `@whylight/${name.split('/')[0]}`);
    expect(names).toEqual(expect.arrayContaining(ours));
  },
);

test.each(['onnxruntime-node', 'sharp', 'fontkit'])('packages/host alone is shipped with %s', (name) => {
  expect(withDependency(name)).toEqual(['packages/host']);
});

test('apps/edge alone has Cloudflare types', () => {
  expect(withDependency('@cloudflare/workers-types', ['dependencies', 'devDependencies'])).toEqual([
    'apps/edge',
  ]);
});
