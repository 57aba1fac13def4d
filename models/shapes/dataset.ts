/** Writes drawings to a raw file, one record each: picture [128, 128, 3], mask [128, 128], label, a byte per value. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { draw } from './draw.ts';

const [first, count, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
if (!Number.isInteger(first) || !(count > 0) || !file) {
  console.error('usage: node models/shapes/dataset.ts FIRST_SEED COUNT FILE');
  process.exit(2);
}
const out = openSync(file, 'w');
for (let seed = first; seed < first + count; seed++) {
  const { picture, mask, label } = draw(seed);
  writeSync(out, Buffer.concat([picture.data, mask, Uint8Array.of(label)]));
}
closeSync(out);
