/**
 * Writes drawings to a raw file, one record each: picture [H, W, 3], mask [H, W], label, a byte per value. `easy`
 * drawings are 64 × 64 and begin without clutter: training begins with them.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { draw } from './draw.ts';

const [first, count, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const easy = process.argv[5] === 'easy';
if (!Number.isInteger(first) || !(count > 0) || !file) {
  console.error('usage: node models/shapes/dataset.ts FIRST_SEED COUNT FILE [easy]');
  process.exit(2);
}
const out = openSync(file, 'w');
for (let seed = first; seed < first + count; seed++) {
  const ease = { side: 64, clutter: (0.6 * (seed - first)) / count };
  const { picture, mask, label } = draw(seed, easy ? ease : {});
  writeSync(out, Buffer.concat([picture.data, mask, Uint8Array.of(label)]));
}
closeSync(out);
