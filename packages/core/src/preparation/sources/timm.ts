import { z } from 'zod';
import type { Preprocessing, Sides } from '../../image/preprocessing.ts';
import { getOwn } from '../../own.ts';
import type { Label } from '../labels.ts';
import { parsedBy, type Statement } from './said.ts';

const perChannel = z.array(z.number()).min(1).max(4096);
const side = z.int().min(1).max(100_000);

const trainedSchema = z.object({
  input_size: z.tuple([z.int().min(1).max(4096), side, side]).nullish(),
  interpolation: z.string().nullish(),
  mean: perChannel.nullish(),
  std: perChannel
    .refine((values) => values.every((value) => value > 0), 'expected numbers above 0')
    .nullish(),
  crop_pct: z.number().positive().max(2).nullish(),
  crop_mode: z.string().nullish(),
  label_names: z.array(z.string()).nullish(),
});

const schema = z.object({
  pretrained_cfg: trainedSchema,
  label_names: z.array(z.string()).nullish(),
  label_descriptions: z
    .custom<Readonly<Record<string, unknown>>>((given) => typeof given === 'object' && !Array.isArray(given))
    .nullish(),
});

/**
 * Reads timm's `config.json` as `create_transform` of timm interprets it for evaluation.
 *
 * @throws InputError for members of a wrong type
 */
export function readTimm(given: unknown, file: string): Statement {
  const { pretrained_cfg: trained, label_names, label_descriptions } = parsedBy(schema, given, file);
  const { input_size, interpolation, mean, std } = trained;
  const filter = /^(bilinear|bicubic|nearest|lanczos|box|hamming)$/.exec(interpolation ?? '')?.[0];
  const names = label_names ?? trained.label_names;
  return {
    parts: {
      ...(input_size && geometryOf([input_size[1], input_size[2]], trained, mean)),
      ...(input_size?.[0] === 3 && { channels: 'rgb' as const }),
      ...(filter && { resample: filter as Preprocessing['resample'] }),
      // timm's ToTensor.
      scale: 1 / 255,
      ...(mean && { mean }),
      ...(std && { std }),
    },
    labels: names?.length ? names.map((name) => labelOf(name, label_descriptions ?? {})) : undefined,
    notes:
      interpolation && !filter && interpolation !== 'random'
        ? [
            `${file}: interpolation ${JSON.stringify(interpolation.slice(0, 40))} is not a filter that Whylight knows, and is left out`,
          ]
        : [],
  };
}

function geometryOf(
  size: Sides,
  { crop_pct, crop_mode }: z.output<typeof trainedSchema>,
  mean: readonly number[] | null | undefined,
): Partial<Preprocessing> {
  const share = crop_pct || 0.875;
  const larger: Sides = [Math.floor(size[0] / share), Math.floor(size[1] / share)];
  if (crop_mode === 'squash') return { size, fit: 'stretch', resize: larger, crop: size };
  if (crop_mode === 'border') {
    const [red = 0, green = red, blue = red] = (mean ?? []).map((value) => Math.round(value * 255));
    return { size, fit: 'letterbox', resize: larger, crop: size, pad_color: [red, green, blue] };
  }
  return {
    size,
    fit: 'crop',
    resize: larger[0] === larger[1] ? larger[0] : null,
    crop: cropOf(larger, size, share),
  };
}

/** Returns the crop; for an oblong input it is a share, and the resize follows from it. */
const cropOf = (larger: Sides, size: Sides, share: number): Preprocessing['crop'] =>
  larger[0] === larger[1] || share > 1 ? size : share;

/** In timm, ImageNet's names are WordNet's numbers, and descriptions explain them. */
function labelOf(name: string, descriptions: Readonly<Record<string, unknown>>): Label {
  const said = getOwn(descriptions, name);
  return { en: typeof said === 'string' ? said : name, zh: null };
}
