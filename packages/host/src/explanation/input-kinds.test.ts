import type { ExplanationResult } from '@whylight/contract';
import { float32, readNpy, writeNpy } from '@whylight/core';
import { resolveQuestion } from '@whylight/core/methods';
import { declared, networkOf } from '@whylight/core/testing';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { decodeImage, photoTypes } from '../codec/decode.ts';
import { heldModel } from '../models/registered-model.ts';
import { ModelRegistry } from '../models/registry.ts';
import { createRuntime } from '../runtime/runtime.ts';
import { jetStyle } from '../testing/colour-models.ts';
import { PhotoExplainer } from './photo-explainer.ts';

// Networks of every kind of input, whose scores are the means of their channels, on photos and files of bands.

let runtime: Awaited<ReturnType<typeof createRuntime>>;
beforeAll(async () => {
  runtime = await createRuntime({ ep: 'cpu' });
});

type Shape = readonly [number, number, number];
interface Kind {
  readonly channels: number;
  readonly sides: readonly [number, number];
  readonly last?: boolean;
  readonly dtype?: 'float32' | 'uint8';
  readonly divisor?: number;
}

/** Scores of the channels: their means over what a convolution leaves as it is. */
function meansOf({ channels, sides, last = false, dtype = 'float32', divisor = 1 }: Kind): Uint8Array {
  const shape: Shape = last ? [...sides, channels] : [channels, ...sides];
  const bytes = networkOf(shape, (layer, image, g) => {
    const numbers = dtype === 'uint8' ? layer('numbers', 'Cast', [image], { to: 1 }) : image;
    const scaled = divisor === 1 ? numbers : layer('scaled', 'Div', [numbers, g.scalar(divisor)]);
    const map = last ? layer('nchw', 'Transpose', [scaled], { perm: [0, 3, 1, 2] }) : scaled;
    const same = Array.from({ length: channels ** 2 }, (_, i) => Number(i % (channels + 1) === 0));
    const weights = g.constant(float32([channels, channels, 1, 1], same), 'same');
    const convolved = layer('features', 'Relu', [layer('convolved', 'Conv', [map, weights])]);
    return layer('scores', 'Flatten', [layer('means', 'GlobalAveragePool', [convolved])], { axis: 1 });
  });
  return declared(bytes, ['N', ...shape], dtype);
}

interface Asked {
  readonly photo: Uint8Array;
  readonly method?: string;
}

async function explained(kind: Kind, manifest: object, { method = 'grad-cam', photo }: Asked) {
  const model = await heldModel('kind', new Uint8Array(meansOf(kind)), manifest);
  const explainer = new PhotoExplainer(runtime, ModelRegistry.of([model]), { types: photoTypes });
  try {
    const question = resolveQuestion({ method });
    const { result, artifacts } = await explainer.explain({
      model: 'kind',
      question,
      photo,
      style: jetStyle,
    });
    const overlay = await decodeImage(artifacts.get('overlay.png')!);
    const heatmap = await decodeImage(artifacts.get('heatmap.png')!);
    return { result, overlay, heatmap, map: readNpy(artifacts.get('attribution.npy')!) };
  } finally {
    await explainer.close();
  }
}

const scoresOf = ({ predictions }: ExplanationResult) =>
  [...predictions].sort((a, b) => a.class_index - b.class_index).map(({ score }) => score);

/** A picture of one colour but for a white column on its left. */
async function column(width: number, height: number, colour: [number, number, number]): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Math.trunc(i / 3) % width === 0 ? 255 : colour[i % 3]!,
  );
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
const same = { mean: 0, std: 1, scale: 1 };
const stretch = { ...same, fit: 'stretch' };

test('grey is the luminance, and its pixels are shown by their sign', async () => {
  const photo = await column(8, 8, [200, 100, 50]);
  const of = (method: string) =>
    explained({ channels: 1, sides: [8, 8] }, { preprocessing: stretch }, { photo, method });
  const { result } = await of('grad-cam');
  // ITU-R 601: 0.299 R + 0.587 G + 0.114 B
  expect(scoresOf(result)).toEqual([expect.closeTo((255 + 7 * 124) / 8, 3)]);
  const { map } = await of('input-x-gradient');
  expect(map.shape).toEqual([1, 1, 8, 8]);
});

test('channels last, oblong: the map is rows by columns', async () => {
  const photo = await column(12, 4, [0, 0, 0]);
  const kind = { channels: 3, sides: [4, 12], last: true } as const;
  const { map, result } = await explained(kind, { preprocessing: stretch }, { photo });
  expect(map.shape).toEqual([1, 4, 12]);
  expect(scoresOf(result)[0]).toBeCloseTo(255 / 12, 3);
  // The white column lights up, the black rest does not.
  expect((map.data as Float32Array).map((value) => Math.round(value)).subarray(0, 12)).toEqual(
    Float32Array.from({ length: 12 }, (_, x) => Number(x === 0)),
  );
});

test('bytes that the graph divides itself are divided once', async () => {
  const photo = await column(8, 8, [51, 102, 153]);
  const kind = { channels: 3, sides: [8, 8], last: true, dtype: 'uint8', divisor: 255 } as const;
  const { result } = await explained(kind, { preprocessing: { fit: 'stretch' } }, { photo });
  expect(scoresOf(result)).toEqual([0.2, 0.4, 0.6].map((level) => expect.closeTo((1 + 7 * level) / 8, 2)));
});

test('a letterboxed photo: the map lies on the photo, the padding is cut away', async () => {
  const photo = await sharp(await column(16, 8, [0, 0, 0]))
    .resize(640, 320, { kernel: 'nearest' })
    .png()
    .toBuffer();
  const manifest = { preprocessing: { ...same, fit: 'letterbox', size: [16, 16], pad_color: [0, 0, 0] } };
  const { result, overlay, heatmap } = await explained({ channels: 3, sides: [16, 16] }, manifest, { photo });
  expect(result.input_region).toEqual({ x: 0, y: -160, width: 640, height: 640 });
  expect(overlay).toMatchObject({ width: 640, height: 320 });
  // Where the white column is, the map is at its highest, which is red; beside it at its lowest, which is blue.
  const at = (x: number, y: number) => [...overlay.data.subarray((y * 640 + x) * 3, (y * 640 + x) * 3 + 3)];
  for (const y of [150, 310]) {
    expect(at(20, y)[0]).toBeGreaterThan(at(20, y)[2]!);
    expect(at(400, y)[2]).toBeGreaterThan(at(400, y)[0]!);
  }
  expect(heatmap.width).toBeGreaterThan(heatmap.height * 1.4);
});

test('13 bands of an array keep their numbers', async () => {
  const data = Float32Array.from({ length: 13 * 6 * 5 }, (_, i) => Math.trunc(i / 30) * 1000);
  const photo = writeNpy(float32([13, 6, 5], data));
  const manifest = { preprocessing: { ...stretch, scale: 1 / 10_000, mean: 0, std: 1 } };
  const { result } = await explained({ channels: 13, sides: [6, 5] }, manifest, { photo });
  expect(result.target.class_index).toBe(12);
  expect(result.target.score).toBeCloseTo(1.2, 5);
});

test('a photo has not the bands of a network that takes 13, and the answer says so', async () => {
  const photo = await column(8, 8, [0, 0, 0]);
  await expect(
    explained({ channels: 13, sides: [6, 5] }, { preprocessing: stretch }, { photo }),
  ).rejects.toThrow('the network takes images with 13 bands, but this file has 3 bands');
});
