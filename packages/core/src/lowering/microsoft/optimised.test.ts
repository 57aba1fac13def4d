import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readClassifier } from '../../model/classifier.ts';
import { ModelSchema } from '../../onnx/generated/onnx_pb.js';
import { float32, sizeOf } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { menagerie } from '../../testing/menagerie.ts';
import { tinyTransformer } from '../../testing/transformer.ts';

// Networks as ONNX Runtime itself writes them once it has optimised them.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whylight-optimised-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function optimised(bytes: Uint8Array, level: 'extended' | 'all'): Promise<Uint8Array> {
  const file = join(folder, `${level}.onnx`);
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: level,
    optimizedModelFilePath: file,
    logSeverityLevel: 4,
  });
  await session.release();
  return new Uint8Array(readFileSync(file));
}

const foreign = (bytes: Uint8Array) =>
  fromBinary(ModelSchema, bytes).graph!.node.filter(({ domain }) => domain === 'com.microsoft');

async function sameMap(plain: Uint8Array, other: Uint8Array, method: string): Promise<void> {
  const { inputShape, batch = 2 } = readClassifier(plain);
  const shape = [batch, ...inputShape];
  const images = float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.7) + 0.2 * Math.cos(i * i)),
  );
  const targets = Array.from({ length: batch }, (_, i) => i);
  const [a, b] = [
    await explain(plain, { method }, images, targets),
    await explain(other, { method }, images, targets),
  ];
  const scale = Math.max(...a.attribution.data.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  for (const [i, v] of a.attribution.data.entries())
    expect(Math.abs(v - b.attribution.data[i]!)).toBeLessThan(1e-5 * scale);
}

describe('a network that ONNX Runtime has optimised is explained as it was before', () => {
  it.each(menagerie().map((bytes, i) => [i, bytes] as const))('network %i', async (_, bytes) => {
    await sameMap(bytes, await optimised(bytes, 'extended'), 'saliency');
  });

  it('and the fused operators are there', async () => {
    const fused = new Set<string>();
    for (const bytes of [...menagerie(), tinyTransformer()])
      for (const { opType } of foreign(await optimised(bytes, 'extended'))) fused.add(opType!);
    expect([...fused].sort()).toEqual(['FusedConv', 'SkipLayerNormalization']);
  });

  it.each(['saliency', 'grad-cam', 'attention-rollout', 'le-grad', 'lrp'])(
    'a transformer by %s',
    async (method) => {
      await sameMap(tinyTransformer(), await optimised(tinyTransformer(), 'extended'), method);
    },
  );

  it('what is written for one kind of processor is refused, with a way out', async () => {
    const bytes = await optimised(menagerie()[0]!, 'all');
    // On a processor without such a layout there is nothing to refuse.
    if (!fromBinary(ModelSchema, bytes).graph!.node.some(({ domain }) => domain?.endsWith('nchwc'))) return;
    expect(() => readClassifier(bytes)).toThrow(
      /com\.microsoft\.nchwc\.Conv.*save the model with .*ORT_ENABLE_EXTENDED/,
    );
  });
});
