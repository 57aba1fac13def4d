import { conventions, languages, type TargetSpec, type Task, tasks } from '@whylight/contract';
import { parseTarget, type Target } from '@whylight/core';
import type { Convention } from '@whylight/core/methods';
import { type ExecutionProvider, executionProviders } from '@whylight/host';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { type Score, scoreOption } from './scores.ts';

export type Parameters = Record<string, string>;

/** What every command that explains takes. */
export interface ExplainOptions {
  readonly layer?: string[];
  readonly param?: Parameters;
  readonly convention?: Convention;
  readonly score?: Score;
}

/** Adds --layer, --param, --convention and --score. */
export const withExplainOptions = (command: Command): Command =>
  command
    .option('--layer <tensor>', 'layer to explain, repeatable (default: the last feature map)', collected)
    .option('--param <k=v>', 'parameter of the method, repeatable', parameter)
    .addOption(
      new Option('--convention <name>', 'compute as this library does (default: paper)').choices(conventions),
    )
    .addOption(
      new Option(
        '--score <kind>',
        'score of the class to explain (default: logit; rise: probability; with the convention of a library: output), or any number: output:NAME[INDEX].sum, tensor:NAME[INDEX].sum',
      ).argParser(scoreOption),
    );

export interface ReadingOptions {
  readonly input?: Parameters | undefined;
  readonly outputName?: string | undefined;
  /** The older name of --output-name. */
  readonly scores?: string | undefined;
  readonly task?: Task | undefined;
}

/** Adds --input and --output-name: which of a model's inputs and outputs take part. */
export const withReadingOptions = (command: Command): Command =>
  command
    .option(
      '--input <name=value>',
      'give an input other than the image a fixed value: a number or a .npy file, repeatable',
      fixedInput,
    )
    .option(
      '--output-name <output>',
      'output that holds the scores of the classes (default: the likeliest one)',
    )
    .addOption(new Option('--scores <output>', 'the older name of --output-name').hideHelp())
    .addOption(
      new Option('--task <task>', 'what the model decides, where its end does not tell').choices(tasks),
    );

export interface DeviceOptions {
  readonly ep: ExecutionProvider;
  readonly threads?: number;
  readonly memory?: number;
}

/** Adds --ep, --threads and --memory. */
export const withDeviceOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--ep <provider>', 'device that runs the network')
        .choices(executionProviders)
        .default('cpu'),
    )
    .option('--threads <n>', 'number of threads for each operator', positive)
    .option('--memory <size>', 'largest memory that a run may use, such as 500MB (default: 1GB)', byteSize);

export const withJson = (command: Command): Command =>
  command.option('--json', 'print one JSON document on stdout, everything else on stderr');

export const modelArgument = (): Argument =>
  new Argument('<model>', 'name of a registered model, path of an ONNX file, or folder that holds one');

export const collected = (text: string, all?: string[]): string[] => [...(all ?? []), text];

/** `grad-cam,saliency`, collected, each once. */
export function methodList(text: string, all: string[] = []): string[] {
  const ids = text.split(',').map((part) => part.trim());
  if (ids.includes('')) throw new InvalidArgumentError('Expected method ids separated by commas.');
  return [...new Set([...all, ...ids])];
}

/** `n_steps=50`, collected. */
export function parameter(text: string, all?: Parameters): Parameters {
  const [, name, value] = /^([\w-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...all, [name]: value };
}

/** `scale=1` or `mask=mask.npy`, collected; names of tensors hold anything but `=`. */
function fixedInput(text: string, all?: Parameters): Parameters {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...all, [name]: value };
}

/** `noise=noise.npy`, collected. */
export function nameAndFile(text: string, all?: Parameters): Parameters {
  const [, name, file] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || file === undefined) throw new InvalidArgumentError('Expected NAME=FILE.');
  return { ...all, [name]: file };
}

/** `1000000`, `500MB` or `1.5GiB`, in bytes. */
export function byteSize(text: string): number {
  const [, number, prefix = '', binary] = /^(\d+(?:\.\d+)?) *([KMGT]?)(i?)B?$/i.exec(text) ?? [];
  const bytes = Math.floor(
    Number(number) * (binary ? 1024 : 1000) ** ' KMGT'.indexOf(prefix.toUpperCase() || ' '),
  );
  if (!(bytes >= 1)) throw new InvalidArgumentError('Expected a number of bytes, such as 500MB or 2GiB.');
  return bytes;
}

export function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 on.');
  return Number(text);
}

/** `predicted`, a class index, a sum or difference of these such as `281-282`, or a class name. */
export function photoTarget(text: string): TargetSpec {
  const target = parseTarget(text);
  if (target === undefined) return /^-\d+$/.test(text) ? { class_index: Number(text) } : { label: text };
  if (typeof target !== 'number')
    return {
      terms: target.map(({ class: index, weight }) => ({
        class_index: index < 0 ? ('predicted' as const) : index,
        weight,
      })),
    };
  return target < 0 ? 'predicted' : { class_index: target };
}

export const targetOption = (): Option =>
  new Option(
    '--target <class>',
    'class to explain: predicted, an index, a name, or a sum of indices such as 281-282',
  )
    .argParser(photoTarget)
    .default('predicted');

export const languageOption = (): Option =>
  new Option('--lang <language>', 'language of the class names').choices(languages).default('en');

/** `282`, `1,0,2` or `281-282,281-282`: each a class index, `predicted`, or a sum of these. */
export function targetList(text: string): Target[] {
  return text.split(',').map((part) => {
    const target = parseTarget(part);
    if (target === undefined)
      throw new InvalidArgumentError(
        'Expected class indices separated by commas, predicted, or sums such as 281-282.',
      );
    return target;
  });
}

export function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw new InvalidArgumentError('Expected a whole number of seconds, such as 60.');
  return Number(text);
}
