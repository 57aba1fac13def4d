/**
 * States, as the only place, which room may import which. A room is a folder of `src`, or a file of `src` with a row of
 * its own; `.` stands for the other files of `src`. `*` allows every room. A room may always import itself. Each row
 * names only rooms of the rows above it, so that the rooms have an order; `.` may stand anywhere.
 *
 * Test files, `testing` and `test` folders may import what they like. Biome checks the rules without rooms: that each
 * package is declared in package.json, that no imports form a circle, and that portable packages need no Node.
 */
export interface PackageRules {
  /** The packages of this repository that it may import: `core` is @whylight/core and all its parts, `core/methods` one part. */
  readonly packages: string;
  /** Room to the rooms that it may import. Omitted: the package has no order inside. */
  readonly rooms?: Readonly<Record<string, string>>;
  /** A library, or the beginning of its name, to the rooms that alone may import it. */
  readonly libraries?: Readonly<Record<string, string>>;
}

export const importRules: Readonly<Record<string, PackageRules>> = {
  'packages/core': {
    packages: '',
    rooms: {
      '.': '',
      onnx: '.',
      operators: '. onnx',
      lowering: '. onnx operators',
      model: '. onnx operators lowering',
      autodiff: '. onnx operators lowering',
      incremental: '. onnx operators lowering autodiff',
      layers: '. onnx operators lowering model autodiff',
      methods: '. onnx operators lowering model autodiff incremental layers',
      runtime: '.',
      image: '.',
      drawing: '. image',
      programs: '. onnx operators lowering model autodiff incremental layers methods runtime',
      metrics: '. onnx methods runtime programs',
      'empty-attribution.ts': '. methods programs',
      'found-samples.ts': '. methods programs',
      'explainer.ts': '*',
      'inspect.ts': '*',
      preparation: '. onnx model methods runtime image drawing explainer.ts',
      'index.ts': '*',
    },
  },
  'packages/contract': { packages: '' },
  'packages/client': { packages: 'contract' },
  'packages/web': { packages: 'core' },
  'packages/host': {
    packages: 'contract core models',
    rooms: {
      '.': '',
      codec: '.',
      models: '.',
      runtime: '.',
      scheduling: '. runtime',
      classification: '. codec models runtime scheduling',
      rendering: '. codec scheduling classification',
      explanation: '. codec models runtime scheduling classification rendering',
      checking: '. codec models runtime scheduling classification rendering explanation',
      'index.ts': '*',
    },
    libraries: { 'onnxruntime-node': 'runtime', sharp: 'codec rendering', fontkit: 'rendering' },
  },
  'apps/edge': {
    packages: 'contract core/methods',
    rooms: {
      domain: '',
      generated: '',
      storage: '. domain',
      middleware: '. domain storage',
      '.': 'domain generated storage middleware',
      http: '. domain storage middleware',
      'use-cases': '. domain storage',
      'durable-objects': '. domain storage use-cases',
      routes: '. domain storage middleware http use-cases',
      'app.ts': '*',
      'index.ts': '*',
    },
    libraries: {
      hono: '. middleware http routes app.ts',
      '@hono/': '. middleware http routes app.ts',
      aws4fetch: 'storage',
      'cloudflare:': 'durable-objects',
    },
  },
  'apps/gpu-worker': {
    packages: 'contract core host',
    rooms: {
      '.': '',
      telemetry: '.',
      storage: '. telemetry',
      isolation: '. storage telemetry',
      jobs: '. storage telemetry isolation',
      'catalog-check.ts': '. telemetry',
      'state.ts': '. isolation jobs',
      'app.ts': '*',
      'worker.ts': '*',
      kserve: '. storage telemetry isolation jobs worker.ts',
      'index.ts': '*',
    },
    libraries: { '@aws-sdk/': 'storage' },
  },
  'apps/web': {
    packages: 'client core web',
    rooms: {
      '.': '',
      photo: '.',
      engine: '. photo',
      state: '. photo engine',
      words: '. state',
      first: '. state',
      drawing: '. photo engine state',
      workbench: '. photo engine state',
      'take-away': '. photo engine state words drawing',
      'service-worker': '.',
      view: '. photo engine state words first drawing workbench take-away',
      'main.tsx': '*',
    },
    libraries: { preact: 'words view main.tsx' },
  },
  'apps/cli': { packages: 'client contract core host models' },
};
