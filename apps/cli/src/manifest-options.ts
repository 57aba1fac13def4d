import type { Preprocessing } from '@whylight/core/image';
import { presets } from '@whylight/host';
import type { Command } from 'commander';
import { UsageError } from './failure.ts';
import { fixedInputs } from './model.ts';
import {
  channelValues,
  type Parameters,
  positive,
  type ReadingOptions,
  withReadingOptions,
} from './options.ts';

/** What is said of a model in place of what stands beside it. */
export interface ManifestOptions extends ReadingOptions {
  readonly name?: string;
  readonly labels?: string;
  readonly preset?: string;
  readonly mean?: number[];
  readonly std?: number[];
  readonly size?: number;
}

/** Adds --name, --labels, --preset, --mean, --std, --size, --input and --scores. */
export const withManifestOptions = (command: Command): Command =>
  withReadingOptions(
    command
      .option('--name <name>', "what to call it (default: the file's name)")
      .option('--labels <file>', 'class names, CSV or JSON')
      .option('--preset <name>', `preprocessing: ${Object.keys(presets).join(', ')} (default: imagenet)`)
      .option('--mean <r,g,b>', 'mean of the input in 0..1', channelValues)
      .option('--std <r,g,b>', 'deviation of the input in 0..1', channelValues)
      .option('--size <pixels>', 'side of the input', positive),
  );

/** Preprocessing by number, on top of the preset; undefined where no number is given. @throws UsageError */
export function spelledOut({ preset, mean, std, size }: ManifestOptions): Preprocessing | undefined {
  if (!mean && !std && !size) return undefined;
  const sides = size && { size: [size, size] as const, resize: Math.round((size * 256) / 224) };
  return { ...presetOf(preset ?? 'imagenet'), ...(mean && { mean }), ...(std && { std }), ...sides };
}

/** @throws UsageError */
export function presetOf(name: string): Preprocessing {
  if (Object.hasOwn(presets, name)) return presets[name as keyof typeof presets];
  throw new UsageError(`preset: expected one of ${Object.keys(presets).join(', ')}, got ${name}`);
}

/** `--input NAME=VALUE` as manifests have it: a number for all of one, or its elements in order. */
export async function fixedElements(input: Parameters): Promise<Record<string, number | number[]>> {
  const inputs = Object.entries(await fixedInputs(input)).map(([tensor, value]) => [
    tensor,
    typeof value === 'object' && 'data' in value ? Array.from(value.data, Number) : value,
  ]);
  return Object.fromEntries(inputs);
}
