import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { withReadingOptions } from './options.ts';
import { askedBy, withPreprocessingOptions } from './preprocessing-options.ts';
import { program } from './program.ts';

/** What a command line says, as the place that puts preprocessing together gets it. */
function said(...words: string[]) {
  const command = withReadingOptions(withPreprocessingOptions(new Command('x')))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(words, { from: 'user' });
  return askedBy(command.opts());
}

describe('flags of preprocessing', () => {
  test.each<[string, object]>([
    ['--size 224', { size: [224, 224] }],
    ['--size 48x192', { size: [48, 192] }],
    ['--layout NHWC', { layout: 'NHWC' }],
    ['--channels gray', { channels: 'gray' }],
    ['--channels 13', { channels: 13 }],
    ['--scale 1/255', { scale: 1 / 255 }],
    ['--scale 1', { scale: 1 }],
    ['--mean 0.5', { mean: [0.5] }],
    ['--mean 0.1,0.2,0.3,0.4', { mean: [0.1, 0.2, 0.3, 0.4] }],
    ['--std 1,2', { std: [1, 2] }],
    ['--fit letterbox', { fit: 'letterbox' }],
    ['--resize 256', { resize: 256 }],
    ['--resize 256x320', { resize: [256, 320] }],
    ['--crop 224', { crop: 224 }],
    ['--crop 48x192', { crop: [48, 192] }],
    ['--crop 0.875', { crop: 0.875 }],
    ['--crop none', { crop: 'none' }],
    ['--no-crop', { crop: 'none' }],
    ['--pad-color #807f00', { pad_color: [128, 127, 0] }],
    ['--resample cv-area', { resample: 'cv-area' }],
  ])('%s says that and nothing else', async (line, parts) => {
    expect(await said(...line.split(' '))).toEqual({ parts });
  });

  test('a preset, names, an output by both its names, and inputs', async () => {
    expect(
      await said('--preset', 'imagenet-half', '--labels', 'a.csv', '--output-name', 'y', '--input', 'g=2'),
    ).toEqual({
      ...{ parts: {}, preset: 'imagenet-half', labels: 'a.csv', scores: 'y', fixed_inputs: { g: 2 } },
    });
    expect(await said('--scores', 'y')).toEqual({ parts: {}, scores: 'y' });
  });

  test.each([
    ...[
      '--size 0',
      '--size 2x',
      '--size 1x2x3',
      '--size 1e3',
      '--layout CHW',
      '--channels 0',
      '--scale 0',
      '--scale 1/0',
    ],
    ...[
      '--scale 1/2/3',
      '--mean a',
      '--mean 1,,2',
      '--std 0',
      '--std -1',
      '--fit fill',
      '--resize 0.5',
      '--crop 1.5',
    ],
    ...['--crop 0.0', '--pad-color red', '--resample area', '--preset toString', '--resize -1'],
  ])('%s is refused', (line) => {
    expect(() => said(...line.split(' '))).toThrow(/error: option .* invalid/);
  });

  const flags = [
    ...[
      '--size',
      '--layout',
      '--channels',
      '--scale',
      '--mean',
      '--std',
      '--preset',
      '--output-name',
      '--scores',
    ],
    ...['--fit', '--resize', '--crop', '--no-crop', '--pad-color', '--resample', '--labels', '--input'],
  ];
  const flagsOf = (words: string): (string | undefined)[] => {
    let command: Command = program;
    for (const word of words.split(' ')) command = command.commands.find((one) => one.name() === word)!;
    return command.options.map(({ long }) => long ?? undefined);
  };
  test.each(['check', 'explain', 'compile', 'video', 'camera', 'evaluate', 'models add', 'models push'])(
    '%s takes all of them',
    (words) => {
      expect(flagsOf(words)).toEqual(expect.arrayContaining(flags));
    },
  );
  test('attribute, which gets a tensor, takes those about its numbers', () => {
    expect(flagsOf('attribute')).toEqual(expect.arrayContaining(flags.slice(0, 9)));
  });
});
