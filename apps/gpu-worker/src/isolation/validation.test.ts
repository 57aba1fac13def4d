import { numericsVersion } from '@whylight/core/methods';
import { type AttributeInit, onnxFile, value } from '@whylight/core/testing';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { bareManifest, bring, bringOf, examined, followReads, processes } from '../testing/tenant-model.ts';
import { createWorld, type World } from '../testing/world.ts';

let world: World;
afterEach(() => world?.close(), 30_000);

const relu = { opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] };
const external = { name: 'w', dims: [2n], dataType: 1, dataLocation: 1 };

const node = (opType: string, input: string[], output: string, attribute: AttributeInit[] = []) => ({
  ...{ opType, name: output, input, attribute },
  output: [output],
});

/** `image` [batch, 3, 4, 4] → scores: the mean of `features`, which the nodes make of it; `lists` are constants. */
const classifier = (lists: Record<string, bigint[]>, ...nodes: ReturnType<typeof node>[]) =>
  onnxFile({
    initializer: Object.entries(lists).map(([name, int64Data]) => ({
      ...{ name, int64Data, dataType: 7 },
      dims: [BigInt(int64Data.length)],
    })),
    node: [...nodes, node('GlobalAveragePool', ['features'], 'pooled'), node('Flatten', ['pooled'], 'y')],
    output: [value('y', 'batch', 3)],
  });

test('a model whose description is as long as it may be is examined', async () => {
  world = await createWorld();
  // As many names as a registration has room for: none of them longer than its index.
  const labels = Array.from({ length: 60_000 }, (_, i) => ({ en: String(i % 10), zh: null }));
  const found = await examined(world, bring(world, undefined, { manifest: { ...bareManifest, labels } }));
  expect(found).toMatchObject({
    error: { message: expect.stringContaining('labels: expected 3, one for each class, got 60000') },
  });
});

describe('examining a model', () => {
  test('says what can be done with it', async () => {
    world = await createWorld();
    expect(await examined(world, bring(world))).toMatchObject({
      outcome: 'ready',
      facts: {
        classes: 3,
        input_shape: [3, 16, 16],
        deterministic: true,
        methods: { 'grad-cam': null },
        layers: [['features'], ['mixed']],
      },
      report: { opset: 13, nodes: 6, layers: [{ name: 'features' }, { name: 'mixed' }] },
    });
    expect(await processes()).toEqual([]);
  });

  test('M6: says of each method whether it ran, and by which numerics', async () => {
    world = await createWorld();
    const found = await examined(world, bring(world));
    if (typeof found === 'number' || found.outcome !== 'ready') throw new Error('it was not examined');
    const { facts, report } = found;
    expect([facts.numerics_version, facts.not_run]).toEqual([numericsVersion, {}]);
    const verdict = (id: string) => report.methods.find((method) => method.id === id);
    expect(verdict('integrated-gradients')).toEqual({
      id: 'integrated-gradients',
      works: true,
      reason: null,
    });
    expect(verdict('le-grad')).toMatchObject({ works: false, reason: expect.stringMatching(/attention/) });
    expect(facts.methods['le-grad']).toBe(verdict('le-grad')!.reason);
    expect(report.photos).toBe(true);
  });

  test('says what it decides: by its end, or as its description says', async () => {
    world = await createWorld();
    expect(await examined(world, bring(world))).toMatchObject({ facts: { task: 'multiclass' } });
    const said = { manifest: { ...bareManifest, task: 'multilabel' as const } };
    expect(await examined(world, bring(world, undefined, said))).toMatchObject({
      facts: { task: 'multilabel' },
    });
  });

  test('states the notes of a method that works', async () => {
    world = await createWorld();
    const smooth = classifier({}, node('Tanh', ['image'], 'features'));
    const found = await examined(world, bring(world, smooth));
    expect(found).toMatchObject({ facts: { methods: { deconvolution: null, 'deep-lift': null } } });
    // Members that the API's report does not have are left out.
    expect(found).toMatchObject({
      report: {
        methods: expect.arrayContaining([
          { id: 'deconvolution', works: true, reason: expect.stringMatching(/^equals_gradient: no ReLU/) },
          { id: 'deep-lift', works: true, reason: null },
        ]),
      },
    });
  });

  const nodes = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      opType: 'Relu',
      input: [i === 0 ? 'image' : `r${i - 1}`],
      output: [i === count - 1 ? 'y' : `r${i}`],
    }));
  const cases: [string, () => Uint8Array, string, RegExp][] = [
    [
      'E1: external data',
      () => onnxFile({ initializer: [external] }),
      'model_external_data_forbidden',
      /"w"/,
    ],
    [
      'E2: an operator of another domain',
      () => onnxFile({ node: [{ ...relu, domain: 'com.microsoft' }] }),
      'model_unsupported_op',
      /com\.microsoft\.Relu/,
    ],
    [
      'E3: two inputs',
      () => onnxFile({ input: [value('image', 'batch', 3, 4, 4), value('mask', 1, 1, 4, 4)] }),
      'invalid_model',
      /one input with 4 axes/,
    ],
    ['E3: no scores by class', () => onnxFile(), 'invalid_model', /scores \[batch, classes\]/],
    ['E4: 60 000 nodes', () => onnxFile({ node: nodes(60_000) }), 'model_too_large', /60000 nodes/],
    [
      'E4: control flow',
      () =>
        onnxFile({
          node: [{ ...relu, opType: 'Loop', attribute: [{ name: 'body', type: 5, g: { node: [relu] } }] }],
        }),
      'model_unsupported_op',
      /control flow/,
    ],
    ['nothing', () => new Uint8Array(1), 'invalid_model', /not an ONNX model/],
    ['a zip', () => Buffer.from('PK\x03\x04 a zip of something'), 'invalid_model', /not an ONNX model/],
    ['a file cut short', () => colourNetwork().subarray(0, 200), 'invalid_model', /truncated/],
    [
      'E12: names that act on a terminal',
      () => onnxFile({ node: [{ ...relu, name: '\u001b[2J\n', domain: 'x' }] }),
      'model_unsupported_op',
      /^node "\\u001b\[2J\\u000a" is/,
    ],
  ];
  test('refuses what is no classifier, by name, and each in a process of its own', async () => {
    world = await createWorld();
    for (const [what, make, code, message] of cases)
      expect(await examined(world, bring(world, make())), what).toEqual({
        outcome: 'rejected',
        error: { code, message: expect.stringMatching(message) },
      });
    expect(await processes()).toEqual([]);
    // E14
    expect(world.lines.join('')).not.toMatch(/passwd|node_modules|\/src\//);
  });

  test('E13: refuses other bytes than were registered', async () => {
    world = await createWorld();
    const bytes = colourNetwork();
    for (const [change, message] of [
      [{ sha256: '0'.repeat(64) }, /expected sha256 0{64}, got/],
      [{ bytes: bytes.length + 1 }, /expected \d+ bytes/],
    ] as const)
      expect(await examined(world, bring(world, bytes, change))).toEqual({
        outcome: 'rejected',
        error: { code: 'upload_mismatch', message: expect.stringMatching(message) },
      });
  });

  test('refuses labels for another number of classes', async () => {
    world = await createWorld();
    const labels = ['red', 'green'].map((en) => ({ en, zh: null }));
    const model = bring(world, colourNetwork(), {
      manifest: { ...bareManifest, labels },
    });
    expect(await examined(world, model)).toMatchObject({
      error: {
        code: 'invalid_model',
        message: expect.stringContaining('labels: expected 3, one for each class, got 2'),
      },
    });
  });

  test('E5: ends what takes too long, whatever it is doing', async () => {
    world = await createWorld({ VALIDATION_SECONDS: 3 });
    // A minute of multiplying, each in one call of ONNX Runtime that listens to nobody.
    const squares = Array.from({ length: 8 }, (_, n) => node('MatMul', [`s${n}`, `s${n}`], `s${n + 1}`));
    const bytes = classifier(
      { size: [6000n, 6000n] },
      ...[node('ReduceMean', ['image'], 'average'), node('Expand', ['average', 'size'], 's0')],
      ...[...squares, node('ReduceMean', ['s8'], 'one'), node('Add', ['image', 'one'], 'features')],
    );
    const start = performance.now();
    expect(await examined(world, bring(world, bytes))).toEqual({
      outcome: 'rejected',
      error: {
        code: 'model_validation_timeout',
        message: 'examining the model took longer than 3 s',
      },
    });
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(await processes()).toEqual([]);
  });

  test('E5: refuses a network that needs more memory than it gets, and lives on', async () => {
    world = await createWorld({ MODEL_PROCESS_MB: 1024 });
    const bytes = classifier(
      { size: [1n, 60n, 1000n, 1000n] },
      ...[node('ReduceMean', ['image'], 'average'), node('Expand', ['average', 'size'], 'l0')],
      ...[1, 2, 3, 4].map((n) => node('Exp', [`l${n - 1}`], `l${n}`)),
      ...[node('Concat', ['l1', 'l2', 'l3', 'l4'], 'all', [{ name: 'axis', type: 2, i: 1n }])],
      ...[node('ReduceMean', ['all'], 'one'), node('Add', ['image', 'one'], 'features')],
    );
    expect(await examined(world, bring(world, bytes))).toMatchObject({
      outcome: 'rejected',
      error: {
        code: expect.stringMatching(/^model_(too_large|validation_failed)$/),
        message: expect.stringContaining('more memory'),
      },
    });
    expect(await examined(world, bring(world))).toMatchObject({ outcome: 'ready' });
  });

  test('E9: sees that a network throws dice', async () => {
    world = await createWorld();
    const bytes = classifier(
      {},
      node('RandomUniformLike', ['image'], 'noise'),
      node('Add', ['image', 'noise'], 'features'),
    );
    expect(await examined(world, bring(world, bytes))).toMatchObject({ facts: { deterministic: false } });
  });

  test('L8: a second one waits for its turn', async () => {
    world = await createWorld();
    const models = [bring(world), bring(world)];
    const answers = await Promise.all(models.map((model) => examined(world, model)));
    expect(answers).toMatchObject([{ outcome: 'ready' }, { outcome: 'ready' }]);
  });

  test('L8: one tenant’s many leave the next turn to another’s', async () => {
    world = await createWorld();
    const read = followReads(world);
    const noisy = [1, 2, 3].map(() => bringOf(world, 'noisy'));
    const all = noisy.map((model) => examined(world, model));
    await expect.poll(() => read.length, { timeout: 20_000 }).toBe(1);
    const quiet = [bringOf(world, 'quiet'), bringOf(world, 'third')];
    all.push(...quiet.map((model) => examined(world, model)));
    expect((await Promise.all(all)).every((found) => typeof found !== 'number')).toBe(true);
    // The second place is for another tenant at once; then all three have one turn in three.
    expect(read[1]).toBe(quiet[0]!.object);
    expect(read.indexOf(quiet[1]!.object)).toBeLessThanOrEqual(3);
  });

  test('L8: a model whose turn does not come while the gateway waits is told to come again', async () => {
    // Nothing is left of the gateway's patience.
    world = await createWorld({ VALIDATION_SECONDS: 100 });
    const models = [bring(world), bring(world)];
    const answers = await Promise.all(models.map((model) => examined(world, model)));
    expect(answers).toMatchObject([{ outcome: 'ready' }, 429]);
  });
});
