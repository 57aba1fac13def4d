import { describe, expect, test } from 'vitest';
import { InputError } from '../../errors.ts';
import { Dice, onnxFile } from '../../testing/index.ts';
import { parseLabels } from '../labels.ts';
import { parseManifest } from '../manifest.ts';
import { foundIn } from './beside.ts';
import { metadataIn } from './file-metadata.ts';
import { readConfig, readProcessor } from './hugging-face.ts';
import type { InputFacts } from './input-facts.ts';
import { putTogether } from './put-together.ts';
import { parsePythonLiteral } from './python-literal.ts';
import type { Statement } from './said.ts';
import { readTimm } from './timm.ts';

const junk: readonly unknown[] = [
  ...[null, true, 0, -1, 0.5, 1e308, 2 ** 53, '', 'x', '__proto__', 'constructor', '\u0000\u202e', [], {}],
  ...[[null], [[1, 2], 3], { height: -1, width: 2 }, { shortest_edge: 1e9 }, { 0: 'a', 2: 'b' }],
  JSON.parse('{"__proto__": 1, "toString": "x"}'),
];

/** `value` with one place of it put in other words. */
function damaged(value: unknown, dice: Dice): unknown {
  if (typeof value !== 'object' || value === null || dice.below(4) === 0) return dice.one(junk);
  const copy = structuredClone(value) as Record<string, unknown>;
  const key = dice.one(Object.keys(copy)) ?? 'size';
  copy[key] = damaged(copy[key], dice);
  return copy;
}

/** Whatever is read, it is understood or refused by name. */
function understoodOrRefused(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
  }
}

const facts: InputFacts = {
  ...{ layout: 'NCHW', channels: 3, sides: [64, 64], stated: true, first: {}, bytes: false },
};
/** A statement, and the preprocessing that comes of it. */
const whole = ({ parts }: Statement) => putTogether([{ from: 'config.json', parts }], facts, undefined);

const processor = {
  ...{ image_processor_type: 'ConvNextImageProcessor', do_resize: true, size: { shortest_edge: 224 } },
  ...{ resample: 3, do_center_crop: true, crop_size: { height: 224, width: 224 }, crop_pct: 0.875 },
  ...{ do_rescale: true, rescale_factor: 1 / 255, rescale_offset: false, do_normalize: true },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], do_flip_channel_order: false },
};
const config = { id2label: { 0: 'a', 1: 'b' }, image_size: 224, num_channels: 3, problem_type: 'regression' };
const timm = {
  pretrained_cfg: {
    ...{ input_size: [3, 224, 224], interpolation: 'bicubic', crop_pct: 0.9, crop_mode: 'border' },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  },
  ...{ label_names: ['n1', 'n2'], label_descriptions: { n1: 'tench' } },
};
const manifest = {
  ...{ name: 'm', preset: 'imagenet', labels: ['a', { en: 'b', zh: null }], cam_tensor: 'x' },
  fixed_inputs: { scale: { dtype: 'float32', shape: [2], data: [1, 2] } },
  preprocessing: { size: [64, 64], crop: 0.9, mean: [0, 0, 0], scale: 'x/255', pad_color: '#808080' },
};
const readers: Record<string, [valid: unknown, read: (given: unknown) => unknown]> = {
  'preprocessor_config.json': [processor, (given) => whole(readProcessor(given, 'f'))],
  'config.json of Hugging Face': [config, (given) => whole(readConfig(given, 'f'))],
  'config.json of timm': [timm, (given) => whole(readTimm(given, 'f'))],
  'a manifest': [manifest, (given) => whole({ parts: parseManifest(given, 'f').preprocessing ?? {} })],
  'a label file': [['a', { en: 'b' }], (given) => parseLabels(JSON.stringify(given), 'json')],
};

describe('M3: fuzzing: a damaged file is understood or refused by name, and nothing else happens', () => {
  test.each(Object.entries(readers))('%s', (_, [valid, read]) => {
    read(valid);
    const dice = new Dice(7);
    for (let n = 0; n < 1000; n++) {
      let given = damaged(valid, dice);
      for (let more = dice.below(3); more > 0; more--) given = damaged(given, dice);
      understoodOrRefused(() => read(given));
    }
  });

  test('metadata, by their values and by their bytes', () => {
    const entries = {
      ...{ author: 'Ultralytics', task: 'classify', imgsz: '[224, 224]', channels: '3' },
      names: `{0: 'tench', 1: "rock 'n' \\u0041"}`,
      'whylight.preprocessing': JSON.stringify(manifest.preprocessing),
      'Image.NominalPixelRange': 'Normalized_1_1',
    };
    const metadataProps = Object.entries(entries).map(([key, value]) => ({ key, value }));
    const bytes = onnxFile({}, { metadataProps });
    foundIn(metadataIn(bytes));
    const dice = new Dice(11);
    for (let n = 0; n < 1000; n++) {
      const changed = bytes.slice(0, dice.below(20) === 0 ? dice.below(bytes.length) : bytes.length);
      for (let more = 1 + dice.below(8); more > 0; more--)
        changed[dice.below(changed.length)] = dice.below(256);
      understoodOrRefused(() => foundIn(metadataIn(changed)));
    }
  });

  test('what Python prints', () => {
    const valid = `{0: 'a', 1: ["b", (None, True), -1.5e3], 'c': {"d": 'e\\x41'}}`;
    const dice = new Dice(13);
    const letters = [...`{}[]()'",:\\ 0eNx\n`];
    for (let n = 0; n < 2000; n++) {
      const text = [...valid];
      for (let more = 1 + dice.below(5); more > 0; more--) text[dice.below(text.length)] = dice.one(letters);
      expect(() => parsePythonLiteral(text.join(''))).not.toThrow();
    }
  });
});
