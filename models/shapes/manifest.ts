/** Writes shapes.json, accuracy on COUNT (5000) fresh drawings included: node models/shapes/manifest.ts [COUNT] */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mean, measure, mistakes, modelFile, std } from './accuracy.ts';
import { kinds, size } from './draw.ts';

const bytes = readFileSync(modelFile);
const [first, count] = [0, Number(process.argv[2] ?? 5000)];
const accuracy = await measure(first, count);
const manifest = {
  name: 'shapes',
  about: 'knows ten kinds of drawn shapes only, nothing on photos',
  file: 'shapes.onnx',
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  opset: 17,
  input: `image [batch,3,${size},${size}] float32`,
  output: `logits [batch,${kinds.length}] float32`,
  preprocessing: {
    layout: 'NCHW',
    channels: 'RGB',
    scale: 'x/255',
    mean: [mean, mean, mean],
    std: [std, std, std],
    resize_short_side: size,
    resample: 'bilinear, antialiased (as PIL)',
    center_crop: size,
  },
  labels: kinds.map(({ en, zh }) => ({ en, zh })),
  cam_tensor: 'block3.relu_output',
  origin: 'trained by models/shapes/train.py on drawings of models/shapes/draw.ts',
  licence: 'Apache-2.0',
  accuracy: { drawings: count, seeds: [first, first + count - 1], top1: accuracy.right / count },
};
// Lists of numbers on one line each, as the formatter wants them.
const text = JSON.stringify(manifest, null, 2).replace(/\[[\d.,\s]+\]/g, (list) =>
  list.replace(/\s+/g, '').replaceAll(',', ', '),
);
writeFileSync(new URL('shapes.json', import.meta.url), `${text}\n`);
console.log(manifest.accuracy, mistakes(accuracy).slice(0, 8));
