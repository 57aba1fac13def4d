import { InputError } from '../../errors.ts';
import type { Preprocessing, Sides } from '../../image/preprocessing.ts';
import { quoted } from '../../onnx/names.ts';
import { type Label, labelsSchema } from '../labels.ts';

import { parsePythonLiteral } from './python-literal.ts';
import { jsonOf, parsedBy, type Statement } from './said.ts';
import { statedSchema } from './stated.ts';

type Metadata = ReadonlyMap<string, string>;

/** Returns the name, for messages, of a key in the metadata of the model's file. */
const place = (key: string): string => `metadata ${key}`;

/**
 * Reads the metadata of a model's file (`metadata_props`): our own keys `whylight.preprocessing` and
 * `whylight.labels`, the keys of ultralytics, the keys that ONNX defines for images and Azure Custom Vision writes, and
 * class names under the keys that people use.
 *
 * @throws InputError for a value of a wrong form under a known key
 */
export function readMetadata(metadata: Metadata): Statement {
  const own = metadata.get('whylight.preprocessing');
  const parts = {
    ...imageKeys(metadata),
    ...ultralytics(metadata),
    ...(own !== undefined &&
      parsedBy(statedSchema, jsonOf(own, place('whylight.preprocessing')), place('whylight.preprocessing'))),
  };
  return { parts, labels: namesIn(metadata), notes: notesOn(metadata) };
}

/**
 * Reads the image metadata of ONNX. They state the values that the network takes, so no mean is stated beside them.
 * https://github.com/onnx/onnx/blob/main/docs/MetadataProps.md
 */
function imageKeys(metadata: Metadata): Partial<Preprocessing> {
  const format = metadata.get('Image.BitmapPixelFormat');
  const channels = ({ Gray8: 'gray', Rgb8: 'rgb', Bgr8: 'bgr', Rgba8: 'rgba' } as const)[format as 'Gray8'];
  const range = ranges.get(metadata.get('Image.NominalPixelRange') ?? '');
  return { ...(channels && { channels }), ...range };
}

const ranges: ReadonlyMap<string, Pick<Preprocessing, 'scale' | 'mean' | 'std'>> = new Map([
  ['NominalRange_0_255', { scale: 1, mean: [0], std: [1] }],
  ['Normalized_0_1', { scale: 1 / 255, mean: [0], std: [1] }],
  ['Normalized_1_1', { scale: 1 / 127.5, mean: [1], std: [1] }],
]);

function notesOn(metadata: Metadata): string[] {
  const unknown = (key: string, known: ReadonlySet<string>) => {
    const value = metadata.get(key);
    return value === undefined || known.has(value)
      ? []
      : [`${place(key)}: ${quoted(value)} is not a value that Whylight knows, and is left out`];
  };
  return [
    ...unknown('Image.BitmapPixelFormat', new Set(['Gray8', 'Rgb8', 'Bgr8', 'Rgba8'])),
    ...unknown('Image.NominalPixelRange', new Set(ranges.keys())),
    ...unknown('Image.ColorSpaceGamma', new Set(['SRGB'])),
  ];
}

/** Reads the keys of ultralytics' exporter; its classifiers resize the short side, crop, and do not normalise. */
function ultralytics(metadata: Metadata): Partial<Preprocessing> {
  const task = metadata.get('task');
  const isTheirs = /ultralytics/i.test(`${metadata.get('author')} ${metadata.get('description')}`);
  if (!isTheirs || task === undefined) return {};
  const size = sizeIn(metadata.get('imgsz'));
  const bands = Number(metadata.get('channels') ?? 3);
  const values = { scale: 1 / 255, mean: [0], std: [1], ...(bands === 3 && { channels: 'rgb' as const }) };
  if (task !== 'classify')
    return {
      ...values,
      ...(size && { size, resize: size }),
      ...{ fit: 'letterbox', crop: 'none', pad_color: [114, 114, 114], resample: 'cv-bilinear' },
    };
  return {
    ...values,
    ...(size && { size }),
    // An oblong input is resized to exactly that size.
    ...(size && { fit: 'crop', resize: size[0] === size[1] ? size[0] : size, crop: size }),
    resample: 'bilinear',
  };
}

function sizeIn(text: string | undefined): Sides | undefined {
  const given = text === undefined ? undefined : parsePythonLiteral(text);
  const sides = typeof given === 'number' ? [given, given] : given;
  if (!Array.isArray(sides) || sides.length !== 2) return undefined;
  return sides.every((side) => Number.isInteger(side) && side >= 1 && side <= 100_000)
    ? (sides as unknown as Sides)
    : undefined;
}

/** Keys under which people put class names, ours first; PaddlePaddle's classifiers and RapidAI use `character`. */
const nameKeys = [
  'whylight.labels',
  'names',
  'labels',
  'classes',
  'class_names',
  'id2label',
  'character',
] as const;

function namesIn(metadata: Metadata): readonly Label[] | undefined {
  for (const key of nameKeys) {
    const text = metadata.get(key)?.trim();
    if (!text) continue;
    const labels = namesFrom(text);
    if (labels) return labels;
    // A wrong value under another key is no error: others may use such a key for something else.
    if (key === 'whylight.labels' || key === 'names')
      throw new InputError(
        'invalid_model',
        `${place(key)}: expected a list of names, or names by index from 0 on; got ${quoted(text)}`,
      );
  }
  return undefined;
}

/** Reads names from JSON, from a printed Python dict or list, or from lines or text between commas. */
function namesFrom(text: string): readonly Label[] | undefined {
  const given = /^[[{(]/.test(text) ? (asJson(text) ?? plain(parsePythonLiteral(text))) : listIn(text);
  if (given === undefined) return undefined;
  const parsed = safely(() => labelsSchema.safeParse(given));
  return parsed?.success && parsed.data.length > 0 ? parsed.data : undefined;
}

const listIn = (text: string): string[] | undefined => {
  const names = text.split(/\r?\n|,/).map((name) => name.trim());
  return names.length > 1 && names.every((name) => name !== '') ? names : undefined;
};

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Converts a Python dict to an object. Its keys are numbers, never names of members that objects inherit. */
const plain = (given: unknown): unknown =>
  given instanceof Map ? Object.fromEntries([...given].map(([key, value]) => [String(key), value])) : given;

/** Returns `undefined` if names by index leave an index out. */
function safely<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
