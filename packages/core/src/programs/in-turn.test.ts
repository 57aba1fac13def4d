import { expect, it } from 'vitest';
import { z } from 'zod';
import { prepare } from '../explainer.ts';
import { defineMethod } from '../methods/method.ts';
import { perRow } from '../methods/shared/noise.ts';
import { readClassifier } from '../model/classifier.ts';
import { writeModel } from '../onnx/write.ts';
import { int64, row } from '../tensor.ts';
import { expectClose } from '../testing/close.ts';
import { explain } from '../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { compile } from './compile.ts';
import { programRun } from './run.ts';

const rates = [0.5, 0.2, 0.1, 0.05];
const bytes = tinyNetwork();
const image = row(tinyImages(), 0);

/** Steps along the gradient, each from where the one before it came to. */
const ascent = defineMethod({
  id: 'ascent',
  title: '',
  summary: '',
  paper: '',
  version: '1',
  kind: 'pixels',
  needs: ['gradient'],
  conventions: ['paper'],
  parameters: z.strictObject({}),
  sampled: true,
  explain: ({ image, at, overInTurn }) =>
    overInTurn({ rate: perRow(rates) }, image, ({ rate }, here) => here.add(at(here).gradient().mul(rate))),
});

const request = { ...prepare(readClassifier(bytes), { method: 'saliency' }).request, method: ascent };

/** The same, step by step. */
async function expected() {
  let here = image;
  for (const rate of rates) {
    const { attribution } = await explain(bytes, { method: 'saliency' }, here, [1]);
    here = { ...here, data: here.data.map((v, i) => v + rate * attribution.data[i]!) };
  }
  return here;
}

it('a loop that carries a value runs its samples one after the other', async () => {
  const run = await programRun(request, cpu, undefined);
  const { attribution } = await run.attribute(image, [1], {});
  await run.close();
  expectClose(attribution, await expected());
  expect(attribution.data).not.toEqual(image.data);
});

it('and is compiled into a Scan that carries it', async () => {
  const { graph, outputs } = compile(request, undefined);
  const session = await cpu.load(writeModel(graph, outputs));
  const { attribution } = await session.run({ image, class_index: int64([1], [1]) });
  await session.close();
  expectClose(attribution!, await expected());
});
