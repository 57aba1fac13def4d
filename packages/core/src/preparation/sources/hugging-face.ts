import { z } from 'zod';
import type { Preprocessing, Sides } from '../../image/preprocessing.ts';
import type { Head } from '../../model/head.ts';
import { type Label, labelsSchema } from '../labels.ts';
import { parsedBy, type Statement } from './said.ts';

/** Filters in the order of PIL's filter numbers. */
const filters = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;

const side = z.int().min(1).max(100_000);
const sizeSchema = z.union(
  [
    side,
    z.tuple([side, side]),
    z.object({ height: side, width: side }),
    z.object({ shortest_edge: side, longest_edge: z.int().nullish() }),
  ],
  { error: 'expected pixels, {"height", "width"} or {"shortest_edge"}' },
);
type Size = z.output<typeof sizeSchema>;

const numbers = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1).max(4096)], {
  error: 'expected a number, or a list of numbers',
});
const deviations = numbers.refine((values) => values.every((value) => value > 0), {
  message: 'expected numbers above 0',
});

const processorSchema = z.object({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: z.unknown().optional(),
  resample: z.int().min(0).max(5).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.unknown().optional(),
  crop_pct: z.number().positive().max(1).nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: numbers.nullish(),
  image_std: deviations.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
});
type Processor = z.output<typeof processorSchema>;

/** Processors in which a size of one number is the short side; in the others it is both sides. */
const byShortSide = /^(ChineseCLIP|CLIP|ConvNext|Bit|Levit|MobileNetV1|MobileNetV2|MobileViT|PoolFormer)/;

/**
 * Reads `preprocessor_config.json` of Hugging Face as the image processors of transformers interpret it.
 *
 * @throws InputError for members of a wrong type
 */
export function readProcessor(given: unknown, file: string): Statement {
  const config = parsedBy(processorSchema, given, file);
  const notes: string[] = [];
  const sizeOf = (member: 'size' | 'crop_size'): Size | undefined => {
    const { [member]: value } = config;
    if (value === undefined || value === null) return undefined;
    const known = sizeSchema.safeParse(value);
    if (known.success && !hasLongestEdge(known.data)) return known.data;
    const plain = typeof value !== 'object' || Object.values(value).some((one) => typeof one !== 'number');
    if (plain) parsedBy(z.object({ [member]: sizeSchema }), { [member]: value }, file);
    notes.push(
      `${file}: ${member} ${JSON.stringify(value).slice(0, 80)} is not a size that Whylight knows, and is left out`,
    );
    return undefined;
  };
  const geometry = geometryOf(config, sizeOf('size'), sizeOf('crop_size'));
  const { resample } = config;
  return {
    parts: {
      ...geometry,
      ...(resample !== undefined && resample !== null && { resample: filters[resample]! }),
      ...valuesOf(config),
      ...channelsOf(config),
    },
    notes,
  };
}

const nameOf = ({ image_processor_type, feature_extractor_type }: Processor): string =>
  image_processor_type ?? feature_extractor_type ?? '';

const hasLongestEdge = (size: Size): boolean =>
  typeof size === 'object' && 'longest_edge' in size && typeof size.longest_edge === 'number';

/** Converts a size to both sides, or to the short side. */
function sidesOf(size: Size, short: boolean): Sides | number {
  if (typeof size === 'number') return short ? size : [size, size];
  if (Array.isArray(size)) return size;
  return 'height' in size ? [size.height, size.width] : (size as { shortest_edge: number }).shortest_edge;
}

const square = (sides: Sides | number): Sides => (typeof sides === 'number' ? [sides, sides] : sides);

function geometryOf(
  config: Processor,
  size: Size | undefined,
  cropSize: Size | undefined,
): Partial<Preprocessing> {
  const name = nameOf(config);
  const resized = size === undefined ? undefined : sidesOf(size, byShortSide.test(name));
  if (/^ConvNext/.test(name) && resized !== undefined && config.do_resize !== false)
    return convNext(square(resized)[0], config.crop_pct ?? 224 / 256);
  const cropped = config.do_center_crop && cropSize !== undefined ? square(sidesOf(cropSize, false)) : null;
  // A processor that crops without stating a size crops to a size that is unknown here.
  if (config.do_center_crop && !cropped && resized === undefined) return {};
  const crop = cropped ?? 'none';
  if (config.do_resize === false)
    return { fit: 'crop', resize: 'none', crop, ...(cropped && { size: cropped }) };
  if (resized === undefined) return cropped ? { size: cropped, crop } : {};
  if (typeof resized !== 'number') return { fit: 'stretch', resize: resized, crop, size: cropped ?? resized };
  return {
    fit: 'crop',
    resize: shortSide(name, resized, config.crop_pct),
    crop,
    size: cropped,
  };
}

/** Levit adds a fixed margin, PoolFormer the margin that its configuration states. */
function shortSide(name: string, side: number, share: number | null | undefined): number {
  if (/^Levit/.test(name)) return Math.trunc((256 / 224) * side);
  return /^PoolFormer/.test(name) && share ? Math.trunc(side / share) : side;
}

/** Below 384 pixels ConvNeXt crops a margin away; from 384 on it changes the photo's proportions. */
function convNext(side: number, share: number): Partial<Preprocessing> {
  const size: Sides = [side, side];
  if (side >= 384) return { fit: 'stretch', resize: size, crop: 'none', size };
  return { fit: 'crop', resize: Math.trunc(side / share), crop: size, size };
}

/** Reads (x · factor - offset - mean) / std, each part of which may be left out. */
function valuesOf(config: Processor): Partial<Preprocessing> {
  const { do_rescale, rescale_factor, rescale_offset, do_normalize, image_mean, image_std } = config;
  const scale = do_rescale === false ? 1 : (rescale_factor ?? 1 / 255);
  const offset = do_rescale !== false && rescale_offset ? 1 : 0;
  // MobileViT's processor knows no normalisation.
  const plain = do_normalize === false || (do_normalize !== true && /^MobileViT/.test(nameOf(config)));
  if (plain) return { scale, mean: [offset], std: [1] };
  return {
    scale,
    ...(image_mean && { mean: image_mean.map((value) => value + offset) }),
    ...(image_std && { std: image_std }),
  };
}

/** These processors make three channels of every photo, unless the model is one of grey pictures. */
function channelsOf({ do_flip_channel_order, image_mean }: Processor): Partial<Preprocessing> {
  if (do_flip_channel_order) return { channels: 'bgr' };
  return image_mean?.length === 3 ? { channels: 'rgb' } : {};
}

const tasks: ReadonlyMap<string, Head['task']> = new Map([
  ['multi_label_classification', 'multilabel'],
  ['single_label_classification', 'multiclass'],
  ['regression', 'regression'],
]);

const configSchema = z.object({
  id2label: labelsSchema.nullish(),
  image_size: z
    .union([side, z.tuple([side, side])], { error: 'expected pixels, or [height, width]' })
    .nullish(),
  num_channels: z.int().min(1).max(4096).nullish(),
  problem_type: z.string().nullish(),
});

/**
 * Reads `config.json` of Hugging Face: names, and the size if no processor states it.
 *
 * @throws InputError for members of a wrong type
 */
export function readConfig(given: unknown, file: string): Statement {
  const { id2label, image_size, num_channels, problem_type } = parsedBy(configSchema, given, file);
  const labels = id2label && !arePlaceholders(id2label) ? id2label : undefined;
  return {
    parts: {
      ...(image_size && { size: square(image_size) }),
      ...(num_channels === 1 && { channels: 'gray' as const }),
    },
    labels,
    task: tasks.get(problem_type ?? ''),
  };
}

/** Tells whether names are transformers' placeholders for unnamed classes: LABEL_0, LABEL_1 and so on. */
const arePlaceholders = (labels: readonly Label[]): boolean =>
  labels.every(({ en }, index) => en === `LABEL ${index}`);
