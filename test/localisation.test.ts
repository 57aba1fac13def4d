import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createExplainer, readClassifier } from '@whylight/core';
import { preprocess } from '@whylight/core/image';
import { createRuntime, ModelRegistry, preparedFor, shapesModel } from '@whylight/host';
import { describe, expect, test } from 'vitest';
import { draw, size } from '../models/shapes/draw.ts';

// The drawings say where the object is that decides, so that an explanation can be wrong. Every number stands
// beside what looking nowhere in particular would give: the object's share of the area, and a blob in the centre.

const seeds = Array.from({ length: 48 }, (_, i) => 700_000 + i);
const drawings = seeds.map((seed) => draw(seed));
const modelFile = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../models/shapes/${name}`, import.meta.url)));
const classifier = readClassifier(modelFile('shapes.onnx'));
const [shapes] = (await ModelRegistry.open([shapesModel])).list();
const { preprocessing } = await preparedFor(shapes!);

interface Localisation {
  /** Share of the positive attribution that lies on the object, mean over the drawings. */
  readonly mass: number;
  /** Share of the drawings whose strongest point lies on the object. */
  readonly pointing: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function localisation(maps: readonly ArrayLike<number>[]): Localisation {
  const scores = maps.map((map, n) => {
    const { mask } = drawings[n]!;
    let [inside, total, best] = [0, 0, 0];
    for (let i = 0; i < mask.length; i++) {
      const value = Math.max(map[i]!, 0);
      total += value;
      if (mask[i]) inside += value;
      if (map[i]! > map[best]!) best = i;
    }
    return { mass: total > 0 ? inside / total : 0, hit: mask[best] ? 1 : 0 };
  });
  return { mass: mean(scores.map((s) => s.mass)), pointing: mean(scores.map((s) => s.hit)) };
}

/** A Gaussian blob in the middle of the picture. */
const centred = Float32Array.from({ length: size * size }, (_, i) => {
  const [x, y] = [(i % size) - size / 2, Math.floor(i / size) - size / 2];
  return Math.exp(-(x * x + y * y) / (2 * (size / 4) ** 2));
});

async function explained(method: string, params: object): Promise<Localisation> {
  const explainer = await createExplainer(
    classifier,
    { method, parameters: { ...params } },
    await createRuntime({ ep: 'cpu' }),
  );
  const maps: Float32Array[] = [];
  for (const { picture, label } of drawings) {
    const { attribution } = await explainer.attribute(preprocess(picture, preprocessing).input, [label]);
    maps.push(attribution.shape.length === 3 ? attribution.data : magnitude(attribution.data));
  }
  await explainer.close();
  return localisation(maps);
}

/** Σ over channels of |attribution|. */
function magnitude(data: Float32Array): Float32Array {
  const plane = size * size;
  return Float32Array.from({ length: plane }, (_, i) =>
    [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[c * plane + i]!), 0),
  );
}

describe('on drawings whose deciding object is known', () => {
  const area = mean(drawings.map(({ mask }) => mask.reduce((a, b) => a + (b ? 1 : 0), 0) / mask.length));
  const centre = localisation(drawings.map(() => centred));

  test('the centre is no good guess', () => {
    expect(area).toBeLessThan(0.15);
    expect(centre.mass).toBeLessThan(0.25);
  });

  test.each([
    { method: 'grad-cam', params: {}, factor: 3 },
    { method: 'integrated-gradients', params: { n_steps: 20 }, factor: 2 },
  ])(
    '$method finds the object: $factor times the mass, twice the hits of a centred blob',
    async ({ method, params, factor }) => {
      const found = await explained(method, params);
      console.log(
        method,
        rounded(found),
        'centred blob',
        rounded(centre),
        'share of the area',
        area.toFixed(3),
      );
      expect(found.mass).toBeGreaterThan(factor * centre.mass);
      expect(found.pointing).toBeGreaterThan(2 * centre.pointing);
    },
  );
});

const rounded = ({ mass, pointing }: Localisation): string =>
  `mass ${mass.toFixed(3)}, pointing ${pointing.toFixed(3)}`;
