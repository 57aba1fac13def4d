import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { float32, forwardModel, softmax, type Tensor } from '@whylight/core';
import { preprocess } from '@whylight/core/image';
import {
  classifierOf,
  createRuntime,
  decodeImage,
  defaultModel,
  embeddedModels,
  ModelRegistry,
  preparedFor,
} from '@whylight/host';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import manifest from './efficientnet-lite0.json' with { type: 'json' };
import recorded from './logits.json' with { type: 'json' };

const file = fileURLToPath(new URL(manifest.file, import.meta.url));
const model = await (await ModelRegistry.open(embeddedModels)).get(defaultModel);

describe('the manifest', () => {
  const bytes = readFileSync(file);

  test('describes the file beside it', () => {
    expect(manifest.bytes).toBe(bytes.length);
    expect(manifest.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('has a name for every class in English and Chinese, no two the same', () => {
    const labels = model.labels!;
    expect(labels).toHaveLength(1000);
    for (const names of [labels.map(({ en }) => en.toLowerCase()), labels.map(({ zh }) => zh)]) {
      expect(names.every(Boolean)).toBe(true);
      expect(new Set(names).size).toBe(1000);
    }
    expect([labels[134], labels[517]]).toEqual([
      { en: 'crane (bird)', zh: '鹤' },
      { en: 'crane (machine)', zh: '起重机' },
    ]);
  });

  test('the file holds no path of the machine that made it', () => {
    expect(bytes.toString('latin1')).not.toMatch(/\/(home|root|tmp|usr|work)\/|\.py/);
  });
});

/** The input of a record: whole numbers that record.py makes the same way, or a photo. */
async function inputOf(name: string): Promise<Tensor<'float32'>> {
  const numbers = /^pattern \((\d+), (\d+), (\d+)\)$/.exec(name)?.slice(1).map(Number);
  if (!numbers) {
    const photo = await decodeImage(
      readFileSync(fileURLToPath(new URL(`../../apps/cli/photos/${name}`, import.meta.url))),
    );
    return preprocess(photo, (await preparedFor(model)).preprocessing).input;
  }
  const [across, down, channel] = numbers as [number, number, number];
  const side = 224;
  const data = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [x, y, c] = [i % side, Math.floor(i / side) % side, Math.floor(i / side / side)];
    return (((across * x * x + down * y + channel * c * x) % 256) - 127) / 128;
  });
  return float32([1, 3, side, side], data);
}

const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
const runtime = await createRuntime({ ep: 'cpu' });
const network = await runtime.load(forwardModel(await classifierOf(model)));
afterAll(() => Promise.all([session.release(), network.close()]));

/** What the file says by itself. */
async function fileSays({ data, shape }: Tensor<'float32'>): Promise<Float32Array> {
  const { logits } = await session.run({ image: new OrtTensor('float32', data, shape) });
  return logits!.data as Float32Array;
}

/** What the engine makes of it. */
async function engineSays(image: Tensor<'float32'>): Promise<Float32Array> {
  const { logits } = await network.run({ image });
  return logits!.data as Float32Array;
}

const highest = (scores: ArrayLike<number>): number => {
  const all = Array.from(scores);
  return all.indexOf(Math.max(...all));
};

test.each(recorded)('on $input it says what torch says', async ({ input, ...torch }) => {
  const image = await inputOf(input);
  for (const [by, says] of Object.entries({ fileSays, engineSays })) {
    const logits = await says(image);
    const differences = (other: readonly number[]) => other.map((score, i) => Math.abs(score - logits[i]!));
    // With weights of float16: only the order of float32 sums differs, and what logits.json rounds.
    expect(Math.max(...differences(torch.float16)), by).toBeLessThan(1e-3);
    // Against the weights as they were trained. Each of float16 is off by up to 2^-12 of itself: on 100 photos that
    // moved a logit by up to 0.035, by 0.004 in the root mean square, and no first class.
    const off = differences(torch.float32);
    expect(Math.max(...off), by).toBeLessThan(0.06);
    expect(Math.hypot(...off) / Math.sqrt(off.length), by).toBeLessThan(0.01);
    expect(highest(logits), by).toBe(highest(torch.float32));
  }
});

test.each([
  ['coffee.jpg', 'espresso', '浓缩咖啡', 0.9],
  ['cat.jpg', 'Egyptian cat', '埃及猫', 0.3],
])('on the photo %s it sees %s, %s', async (name, en, zh, probability) => {
  const scores = softmax(await engineSays(await inputOf(name)));
  const best = highest(scores);
  expect(model.labels![best]).toEqual({ en, zh });
  expect(scores[best]).toBeGreaterThan(probability);
});

const samples = process.env.WHYLIGHT_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const answersFile = `${samples}/imagenet-samples/top5.json`;

test.skipIf(!existsSync(answersFile))('of 100 photos of ImageNet it names 89', async () => {
  const photos = JSON.parse(readFileSync(answersFile, 'utf8')) as Record<string, { label: number }>;
  const seen: { sure: boolean; right: boolean }[] = [];
  for (const [name, { label }] of Object.entries(photos)) {
    const photo = await decodeImage(readFileSync(`${samples}/imagenet-samples/${name}`));
    const scores = softmax(
      await engineSays(preprocess(photo, (await preparedFor(model)).preprocessing).input),
    );
    const best = highest(scores);
    seen.push({ sure: scores[best]! >= 0.3, right: best === label });
  }
  const count = (sure: boolean, right: boolean) =>
    seen.filter((each) => each.sure === sure && each.right === right).length;
  // What the choice of the probability below which an answer says "unsure" rests on.
  expect({
    sure: [count(true, true), count(true, false)],
    unsure: [count(false, true), count(false, false)],
  }).toEqual({
    sure: [87, 7],
    unsure: [2, 4],
  });
});
