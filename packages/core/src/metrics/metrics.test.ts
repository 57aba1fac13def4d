import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { forwardModel, readClassifier } from '../index.ts';
import { float32, row, type Tensor } from '../tensor.ts';
import { headImages, headNetwork } from '../testing/heads.ts';
import { cpu, tinyImages, tinyNetwork, tinyShape } from '../testing/index.ts';
import {
  arcc,
  blurred,
  confidenceChange,
  deletionInsertion,
  imputed,
  infidelity,
  maxSensitivity,
  rankCorrelation,
  relativeScorer,
  road,
  type Scorer,
  scorerOf,
} from './index.ts';

// Numbers of torchcam, pytorch-grad-cam, Captum and SciPy on the tiny network; how they were made is told in the file.
const library = JSON.parse(readFileSync(new URL('library-vectors.json', import.meta.url), 'utf8'));

const classifier = readClassifier(tinyNetwork(), { inputShape: tinyShape });
const image = row(tinyImages(), 0);
let logit: Scorer;
let probability: Scorer;
beforeAll(async () => {
  const session = await cpu.load(forwardModel(classifier));
  logit = scorerOf(session, { target: 0, score: 'logit', chunk: 5 });
  probability = scorerOf(session, { target: 0, score: 'probability', chunk: 5 });
});

const near = (values: readonly number[], digits = 5) => values.map((v) => expect.closeTo(v, digits));
/** Perturbation i is 0.1·sin(2.1 i + 0.3). */
const perturbations = float32(
  [4, ...tinyShape],
  Array.from({ length: 4 * 72 }, (_, i) => 0.1 * Math.sin(2.1 * i + 0.3)),
);

describe('torchcam', () => {
  it.each([20, 5])('has the same curves and areas in %i steps', async (steps) => {
    const curves = await deletionInsertion(probability, image, library.map, { steps });
    const theirs = library[`deletion_steps${steps}`];
    expect(curves.fractions).toEqual(near(theirs.fractions));
    expect(curves.deletion).toEqual(near(theirs.deletion));
    expect(curves.insertion).toEqual(near(theirs.insertion));
    expect(curves.deletionAuc).toBeCloseTo(theirs.deletion_auc, 5);
    expect(curves.insertionAuc).toBeCloseTo(theirs.insertion_auc, 5);
  });

  it('has the same drop and increase', async () => {
    const { drop, increase } = await confidenceChange(probability, image, library.map);
    expect(drop).toBeCloseTo(library.average_drop.avg_drop, 5);
    expect(increase).toBe(library.average_drop.conf_increase);
  });
});

describe('pytorch-grad-cam', () => {
  it('has the same coherency and complexity in ARCC', async () => {
    const map = Float64Array.from(library.map.flat(2));
    // Another map, made of the same: m²/2 + m upside down/10.
    const other = map.map((v, i) => v * v * 0.5 + 0.1 * map[(5 - Math.trunc(i / 6)) * 6 + (i % 6)]!);
    const seen: Tensor<'float32'>[] = [];
    const result = await arcc(probability, image, map, async (masked) => {
      seen.push(masked);
      return other;
    });
    expect(result.coherency).toBeCloseTo(0.98544146, 6);
    expect(result.complexity).toBeCloseTo(0.26789729, 6);
    expect([...seen[0]!.data]).toEqual(near(Array.from(image.data, (v, i) => v * map[i % 36]!)));
    const { coherency, complexity, road: faithful } = result;
    expect(result.arcc).toBeCloseTo(3 / (1 / coherency + 1 / (1 - complexity) + 1 / (faithful + 1e-8)), 6);
  });

  it('has the same difference of logits', async () => {
    const { difference, increase } = await confidenceChange(logit, image, library.map);
    expect(difference).toBeCloseTo(library.pgc_drop, 5);
    expect(increase).toBe(library.pgc_increase);
  });

  it('fills removed pixels with the same values', () => {
    expect(Array.from(imputed(image, library.kept))).toEqual(near(library.imputed));
  });

  it('has the same ROAD, noise aside', async () => {
    const found = await road(logit, image, library.map, { noise: 0 });
    expect(found.mostRelevantFirst).toBeCloseTo(library.road.morf, 5);
    expect(found.leastRelevantFirst).toBeCloseTo(library.road.lerf, 5);
    expect(found.combined).toBeCloseTo(library.road.combined, 5);
  });
});

describe('Captum', () => {
  it('has the same infidelity, plain and normalised', async () => {
    const given = { perturbations };
    const plain = await infidelity(logit, image, library.ig, given);
    const scaled = await infidelity(logit, image, library.ig, { ...given, normalize: true });
    expect(plain / library.infidelity).toBeCloseTo(1, 2);
    expect(scaled / library.infidelity_normalized).toBeCloseTo(1, 2);
  });

  it('has the same sensitivity', async () => {
    const explainer = await createExplainer(
      classifier,
      { method: 'input-x-gradient', convention: 'captum' },
      cpu,
    );
    const explain = async (images: Tensor<'float32'>) =>
      (await explainer.attribute(images, Array(images.shape[0]!).fill(0))).attribution.data;
    const neighbours = float32(
      perturbations.shape,
      perturbations.data.map((v, i) => image.data[i % 72]! + 2 * v),
    );
    expect(await maxSensitivity(explain, image, { neighbours })).toBeCloseTo(library.sensitivity, 5);
    await explainer.close();
  });
});

it('blurs as RISE does', () => {
  const values = Array.from({ length: 189 }, (_, i) => Math.cos(0.37 * i) + 0.25 * Math.sin(0.11 * i * i));
  const blurry = blurred(float32([1, 3, 7, 9], values));
  expect(Array.from(blurry.data)).toEqual(near(library.blur));
  const last = float32(
    [1, 7, 9, 3],
    Array.from({ length: 189 }, (_, i) => values[(i % 3) * 63 + Math.trunc(i / 3)]!),
  );
  expect(blurred(last, 'NHWC').data[5]).toBeCloseTo(library.blur[2 * 63 + 1], 5);
});

it('ranks ties as SciPy does', () => {
  expect(rankCorrelation([1, 2, 2, 5, 3, 9], [4, 1, 1, 3, 3, 8])).toBeCloseTo(library.spearman, 6);
});

it('scores a model whose batch is baked in as one whose batch is open', async () => {
  const baked = readClassifier(tinyNetwork(2), { inputShape: tinyShape });
  const session = await cpu.load(forwardModel(baked));
  const two = scorerOf(session, { target: 0, score: 'logit', batch: 2 });
  const images = tinyImages();
  const three = float32([3, ...tinyShape], [...images.data, ...image.data]);
  expect(Array.from(await two(three))).toEqual(near(Array.from(await logit(three)), 6));
});

describe('a model of one output', () => {
  const one = headNetwork((b) => [b.of('Sigmoid', [b.scores(1, 0.5)])]);
  const age = headNetwork((b) => [b.named('age', b.scores(1))]);
  const photo = row(headImages, 0);
  const map = Float32Array.from({ length: 25 }, (_, i) => Math.sin(i) ** 2);
  const forward = (bytes: Uint8Array) => cpu.load(forwardModel(readClassifier(bytes)));

  it('has the deletion and the drop of its probability, and no constants', async () => {
    const file = await cpu.load(one);
    const score = scorerOf(await forward(one), { target: 0, score: 'probability' });
    const { deletion } = await deletionInsertion(score, photo, map, { steps: 5 });
    const [whole] = Object.values(await file.run({ image: photo }));
    expect(deletion[0]).toBeCloseTo((whole!.data as Float32Array)[0]!, 6);
    expect(new Set(deletion).size).toBe(deletion.length);
  });

  it('that is a plain number is measured between the blank image and the photo', async () => {
    const session = await forward(age);
    const asked = scorerOf(session, { target: 0, score: 'probability' });
    await expect(asked(photo)).rejects.toThrow('a plain number, not a probability');
    const score = await relativeScorer(scorerOf(session, { target: 0, score: 'logit' }), photo);
    const { deletion, insertion } = await deletionInsertion(score, photo, map, { steps: 5 });
    expect([deletion[0], deletion.at(-1), insertion[0], insertion.at(-1)]).toEqual([1, 0, 0, 1]);
    expect(new Set(deletion).size).toBe(deletion.length);
  });
});
