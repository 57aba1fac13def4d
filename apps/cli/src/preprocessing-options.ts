import { type Preprocessing, resamplings, type Sides } from '@whylight/core/image';
import { type Asked, colourOf, presets } from '@whylight/host';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { fixedElements } from './fixed-inputs.ts';
import type { ExplainOptions, ReadingOptions } from './options.ts';
import { explainedBy, type RegionOptions } from './regions.ts';

/** How a photo becomes the network's input, as far as the command line says it; each flag says one thing. */
export interface PreprocessingOptions {
  readonly size?: Sides;
  readonly layout?: Preprocessing['layout'];
  readonly channels?: Preprocessing['channels'];
  readonly scale?: number;
  readonly mean?: number[];
  readonly std?: number[];
  readonly fit?: Preprocessing['fit'];
  readonly resize?: Preprocessing['resize'];
  /** `false`: --no-crop. */
  readonly crop?: Preprocessing['crop'] | false;
  readonly padColor?: Preprocessing['pad_color'];
  readonly resample?: Preprocessing['resample'];
  readonly preset?: keyof typeof presets;
  readonly labels?: string;
}

/** Adds the flags that say how the network's input is made of a photo. */
export const withPreprocessingOptions = (command: Command): Command =>
  withLabelOption(
    withValueOptions(command)
      .addOption(
        new Option('--fit <how>', 'how to bring a photo to --size').choices(['crop', 'stretch', 'letterbox']),
      )
      .option(
        '--resize <N|HxW|none>',
        'resize the photo to this short side, or to both sides; none: do not resize',
        resize,
      )
      .option(
        '--crop <N|HxW|ratio|none>',
        'cut this from the centre; a ratio is the crop_pct of timm; none: do not crop',
        crop,
      )
      .option('--no-crop', 'same as --crop none: the whole photo, for networks that take any size')
      .option('--pad-color <#rrggbb>', 'colour of the margin that --fit letterbox adds', colour)
      .addOption(
        new Option('--resample <filter>', "filter for resizing: PIL's, or OpenCV's (cv-)").choices(
          resamplings,
        ),
      ),
  );

/** Adds those of the flags that say what the numbers of the network's input are. */
export const withValueOptions = (command: Command): Command =>
  command
    .option('--size <N|HxW>', "height and width of the network's input", sides)
    .addOption(
      new Option(
        '--layout <axes>',
        "order of the input's axes; it overrides the order that the file states",
      ).choices(['NCHW', 'NHWC']),
    )
    .option(
      '--channels <rgb|bgr|gray|rgba|N>',
      'channels that the network takes, in this order; N: number of bands',
      channels,
    )
    .option('--scale <N|A/B>', 'multiply pixels of 0 to 255 by this, before --mean (default: 1/255)', scale)
    .option('--mean <a,b,c>', 'subtract this after --scale: one number, or one for each channel', values)
    .option('--std <a,b,c>', 'divide by this after --mean: one number, or one for each channel', deviations)
    .addOption(
      new Option('--preset <name>', 'use this preprocessing for the parts that nothing else states').choices(
        Object.keys(presets),
      ),
    );

export const withLabelOption = (command: Command): Command =>
  command.option(
    '--labels <file>',
    'class names: a JSON, CSV or text file, or a config.json; imagenet: the names of ImageNet',
  );

/** What the flags say of a model, which counts before all else. @throws UsageError, InputError for a file of --input */
export async function askedBy(
  options: PreprocessingOptions & ReadingOptions & RegionOptions & Pick<ExplainOptions, 'score'>,
): Promise<Asked> {
  const { size, layout, channels, scale, mean, std, fit, resize, crop, padColor, resample } = options;
  const given = {
    ...{ size, layout, channels, scale, mean, std, fit, resize, resample },
    crop: crop === false ? ('none' as const) : crop,
    pad_color: padColor,
  };
  const parts = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    parts,
    preset: options.preset,
    labels: options.labels,
    fixed_inputs: options.input && (await fixedElements(options.input)),
    scores: options.outputName ?? options.scores,
    task: options.task,
    score: explainedBy(options),
  };
}

const whole = (text: string): number | undefined =>
  /^[1-9]\d{0,5}$/.test(text) && Number(text) <= 100_000 ? Number(text) : undefined;

function twoSides(text: string): Sides | undefined {
  const [height, width, ...more] = text.split(/[x×]/i).map(whole);
  return height !== undefined && width !== undefined && more.length === 0 ? [height, width] : undefined;
}

function sides(text: string): Sides {
  const side = whole(text);
  const both = side === undefined ? twoSides(text) : ([side, side] as const);
  if (!both)
    throw new InvalidArgumentError('Expected a side such as 224, or height and width such as 48x192.');
  return both;
}

function resize(text: string): Preprocessing['resize'] {
  if (text === 'none') return text;
  const to = whole(text) ?? twoSides(text);
  if (to === undefined)
    throw new InvalidArgumentError(
      'Expected the short side such as 256, height and width such as 48x192, or none.',
    );
  return to;
}

function crop(text: string): Preprocessing['crop'] {
  if (text === 'none') return text;
  const share = /^[01]?\.\d+$/.test(text) ? Number(text) : Number.NaN;
  const to = whole(text) ?? twoSides(text) ?? (share > 0 && share <= 1 ? share : undefined);
  if (to === undefined)
    throw new InvalidArgumentError(
      'Expected a side such as 224, 48x192, a ratio up to 1 such as 0.875, or none.',
    );
  return to;
}

function channels(text: string): Preprocessing['channels'] {
  if (text === 'rgb' || text === 'bgr' || text === 'gray' || text === 'rgba') return text;
  const count = whole(text);
  if (count === undefined || count > 4096)
    throw new InvalidArgumentError('Expected rgb, bgr, gray, rgba, or a number of bands.');
  return count;
}

function scale(text: string): number {
  const [above = Number.NaN, below = 1, ...more] = text.split('/').map(decimal);
  const value = above / below;
  if (!(value > 0 && Number.isFinite(value)) || more.length > 0)
    throw new InvalidArgumentError('Expected a number above 0 such as 1, or a fraction such as 1/255.');
  return value;
}

const decimal = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** One number, or one for each channel. */
export function values(text: string): number[] {
  const given = text.split(',').map(decimal);
  if (!given.every(Number.isFinite))
    throw new InvalidArgumentError('Expected one number, or one for each channel, separated by commas.');
  return given;
}

function deviations(text: string): number[] {
  const given = values(text);
  if (given.some((value) => value <= 0)) throw new InvalidArgumentError('Expected numbers above 0.');
  return given;
}

function colour(text: string): Preprocessing['pad_color'] {
  const known = colourOf(text);
  if (!known) throw new InvalidArgumentError('Expected a colour such as #808080.');
  return known;
}
