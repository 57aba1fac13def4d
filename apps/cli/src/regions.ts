import { basename } from 'node:path';
import { float32, InputError, type ScoreSpec, type Tensor } from '@whylight/core';
import { type MapsOnPhoto, type RegionSpec, regionWeights } from '@whylight/core/image';
import { decodeImage } from '@whylight/host';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from './failure.ts';
import { readBytes, readTensor } from './files.ts';
import { type Score, scoreSpecOf } from './scores.ts';

/** A region as the command line says it; a file is read when it is needed. */
export type AskedRegion = Exclude<RegionSpec, { readonly mask: unknown }> | { readonly file: string };

export interface RegionOptions {
  readonly region?: AskedRegion;
  readonly over?: 'sum' | 'mean';
}

/** Adds --region and --over: what of a segmenter is explained. */
export const withRegionOptions = (command: Command): Command =>
  command
    .option(
      '--region <region>',
      'explain --target of a segmenter over this part of the photo: x,y,w,h or x,y[,radius] in its pixels, a mask (PNG or .npy), or predicted: where the model predicts the class',
      parseRegion,
    )
    .addOption(
      new Option('--over <how>', 'what is taken over --region (default: sum)').choices(['sum', 'mean']),
    );

const numbers = /^\s*-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?)*\s*$/;

export function parseRegion(text: string): AskedRegion {
  if (text === 'predicted') return text;
  if (!numbers.test(text)) {
    if (/\.json$/i.test(text))
      throw new InvalidArgumentError('COCO files are not read; give a mask as PNG or .npy.');
    return { file: text };
  }
  const [x, y, w, h, ...more] = text.split(',').map(Number) as [number, number?, number?, number?];
  if (y === undefined || more.length > 0)
    throw new InvalidArgumentError(
      'Expected x,y,width,height, or x,y or x,y,radius, in pixels of the photo.',
    );
  if (h === undefined) {
    if (w !== undefined && w < 0) throw new InvalidArgumentError(`Expected a radius from 0 on, got ${w}.`);
    return { point: [x, y], radius: w ?? 0 };
  }
  if (!(w! > 0 && h > 0))
    throw new InvalidArgumentError(`Expected a box with a width and a height above 0, got ${w}x${h}.`);
  return { box: [x, y, w!, h] };
}

/** What the options ask to explain in place of a class, if anything. @throws UsageError */
export function explainedBy({
  score,
  region,
  over,
}: RegionOptions & { readonly score?: Score | null | undefined }): ScoreSpec | undefined {
  const value = scoreSpecOf(score);
  if (region === undefined && over !== undefined) throw new UsageError('--over needs --region');
  if (region === undefined) return value;
  if (value)
    throw new UsageError(
      `--region is a part of the score of a class; leave out --score ${score}, or --region`,
    );
  return { type: 'region', over: over ?? 'sum' };
}

/** Of a command that explains no photo: the region comes with each image. @throws UsageError */
export function onlyPredicted({ region }: RegionOptions, command: keyof typeof instead): void {
  if (region !== undefined && region !== 'predicted')
    throw new UsageError(`${command} sees no photo: give --region predicted; ${instead[command]}`);
}

const instead = {
  check: 'explain takes any region of a photo',
  compile: 'the file takes the region of each image as its input "region"',
};

/** A region with its mask. @throws UsageError, InputError that names the file */
export async function readRegion(asked: AskedRegion): Promise<RegionSpec> {
  if (typeof asked === 'string' || !('file' in asked)) return asked;
  const name = basename(asked.file);
  if (/\.npy$/i.test(asked.file)) {
    const { shape, data } = await readTensor(asked.file);
    const [height, width] = shape.filter((size, axis) => size !== 1 || axis >= shape.length - 2);
    if (height === undefined || width === undefined || height * width !== data.length)
      throw new InputError(
        'invalid_parameter',
        `${asked.file}: expected a mask [height, width], got [${shape.join(', ')}]`,
      );
    return { mask: { name, width, height, data: Float32Array.from(data as Iterable<number>, Number) } };
  }
  const { width, height, data } = await decodeImage(await readBytes(asked.file));
  // Masks have white or 1 for what belongs to them: whatever is not black.
  const mask = Float32Array.from({ length: width * height }, (_, i) =>
    Number(data[3 * i]! + data[3 * i + 1]! + data[3 * i + 2]! > 0),
  );
  return { mask: { name, width, height, data: mask } };
}

/** The same region of each of `count` images that are the network's input. @throws InputError */
export function regionsOfInput(
  region: RegionSpec,
  count: number,
  { height, width }: { readonly height: number; readonly width: number },
  pixels: MapsOnPhoto['pixels'],
): Tensor<'float32'> {
  const photo = { width, height };
  const one = regionWeights(region, { photo, input: { x: 0, y: 0, ...photo }, pixels });
  const all = new Float32Array(count * one.length);
  for (let n = 0; n < count; n++) all.set(one, n * one.length);
  return float32([count, ...pixels], all);
}
