import { InputError } from '../../errors.ts';
import { channelCount, type Preprocessing, type Sides, sidesOf } from '../../image/preprocessing.ts';
import { assumptionFor } from './assumption.ts';
import type { InputFacts } from './input-facts.ts';
import { type Part, type Said, type Sourced, sourceText } from './said.ts';

/** The statements of one source about preprocessing. */
export interface Source {
  /** `option`, `manifest`, a file's name, `metadata`, `graph`, `file` (the model's file), `preset`, `assumed`. */
  readonly from: string;
  readonly parts: Partial<Preprocessing>;
}

export interface Preparation {
  readonly preprocessing: Preprocessing;
  /** The source of each part. */
  readonly from: Readonly<Record<Part, string>>;
}

/**
 * Combines preprocessing from all sources, by rank: `sources` in their order, the graph's first operations, the
 * statements of the file, the preset, and at last an assumption.
 *
 * @throws InputError for statements that cannot all be true for the network
 */
export function putTogether(
  sources: readonly Source[],
  facts: InputFacts,
  preset: Preprocessing | undefined,
): Preparation {
  const { layout: _, ...filling } = preset ?? {};
  const ranked = [
    ...sources.map((source) => fitting(source, facts)),
    { from: 'graph', parts: facts.first },
    { from: 'file', parts: factsOf(facts) },
    ...(preset ? [{ from: 'preset', parts: filling }] : []),
  ];
  const said = ranked.reduce(under, {});
  const whole = under(said, { from: 'assumed', parts: assumptionFor(facts, said) }) as Required<Said>;
  checkChannels(whole.channels, facts);
  const values = valuesOf(whole);
  checkValues(whole, facts);
  const from = sourcesOf(whole);
  const sides = sidesOf(values);
  // A crop of a rectangle, or no crop, decides the size that the network gets.
  if (sides !== values.size && !sameSides(sides, values.size)) from.size = from.crop;
  // Parts that follow from the size have the source of the size.
  if (values.resize === null) from.resize = from.size;
  if (values.crop === null) from.crop = from.size;
  return { preprocessing: { ...values, size: sides }, from };
}

/** Adds the statements of a source of lower rank for the parts that are not stated yet. */
export function under(said: Said, { from, parts }: Source): Said {
  const added: { -readonly [P in Part]?: Sourced<Preprocessing[P]> } = {};
  for (const [part, value] of Object.entries(adapted(said, parts, from)))
    Object.assign(added, { [part]: { value, from } });
  return { ...added, ...said };
}

/** Adapts a statement to the statements of higher rank. */
function adapted(said: Said, parts: Partial<Preprocessing>, from: string): Partial<Preprocessing> {
  const { resize, crop, ...rest } = parts;
  if (from === 'assumed') return withoutValues(said, parts, from);
  const fit = parts.fit ?? 'crop';
  // The crop of a photo that keeps its proportions does not apply to a photo that is stretched.
  const otherWay = said.fit !== undefined && said.fit.value !== fit;
  if (otherWay && (resize !== undefined || crop !== undefined)) return withoutValues(said, rest, from);
  const share = said.size?.value && parts.size ? ratio(said.size.value, parts.size) : [1, 1];
  const isShare = typeof said.crop?.value === 'number' && said.crop.value <= 1;
  return {
    ...withoutValues(said, rest, from),
    // The share of a crop decides the size of the resized photo.
    ...(resize !== undefined && !isShare && { resize: scaled(resize, share as [number, number]) }),
    ...(crop !== undefined && { crop: scaled(crop, share as [number, number]) }),
  };
}

const sameSides = (a: Sides | null, b: Sides | null): boolean => a?.[0] === b?.[0] && a?.[1] === b?.[1];

const ratio = ([height, width]: Sides, [ownHeight, ownWidth]: Sides): [number, number] => [
  height / ownHeight,
  width / ownWidth,
];

/** Scales sides to another size of the network, with the same margin. */
function scaled<T extends number | Sides | 'none' | null>(value: T, [down, across]: [number, number]): T {
  if (value === null || value === 'none' || (down === 1 && across === 1)) return value;
  if (typeof value === 'number')
    return (value <= 1 ? value : Math.round(value * Math.max(down, across))) as T;
  return [Math.round(value[0] * down), Math.round(value[1] * across)] as unknown as T;
}

/** Converts a preset's or an assumed mean and deviation, which belong to its scale, to the scale that was stated. */
function withoutValues(said: Said, parts: Partial<Preprocessing>, from: string): Partial<Preprocessing> {
  if (from !== 'preset' && from !== 'assumed') return parts;
  const { scale, mean, std } = parts;
  const factor = said.scale && scale ? said.scale.value / scale : 1;
  if (factor === 1) return parts;
  return {
    ...parts,
    ...(mean && { mean: mean.map((value) => value * factor) }),
    ...(std && { std: std.map((value) => value * factor) }),
  };
}

/**
 * Some models' files state that the whole photo is resized by its short side. A network of one size cannot take such a
 * photo; then the size is cropped out.
 */
function fitting({ from, parts }: Source, { stated }: InputFacts): Source {
  const whole = parts.crop === 'none' && parts.fit === 'crop' && typeof parts.resize === 'number';
  if (!stated || !whole || from === 'option' || from === 'manifest') return { from, parts };
  const { crop: _, size: __, ...rest } = parts;
  return { from, parts: rest };
}

function factsOf({ layout, channels, sides, stated, bytes }: InputFacts): Partial<Preprocessing> {
  const known = channels === 1 ? 'gray' : channels === 4 ? 'rgba' : channels === 3 ? undefined : channels;
  return {
    layout,
    ...(known !== undefined && { channels: known }),
    ...(stated && { size: sides }),
    ...(bytes && { scale: 1, mean: [0], std: [1] }),
  };
}

function valuesOf(said: Required<Said>): Preprocessing {
  return Object.fromEntries(
    Object.entries(said).map(([part, { value }]) => [part, value]),
  ) as unknown as Preprocessing;
}

function sourcesOf(said: Required<Said>): Record<Part, string> {
  return Object.fromEntries(Object.entries(said).map(([part, { from }]) => [part, from])) as Record<
    Part,
    string
  >;
}

function checkChannels({ value, from }: Sourced<Preprocessing['channels']>, { channels }: InputFacts): void {
  if (channelCount(value) === channels) return;
  throw new InputError(
    from === 'option' ? 'invalid_parameter' : 'invalid_model',
    `channels: expected ${expectedChannels(channels)} (the network takes ${channels}), got ${value} (from ${sourceText(from)})`,
  );
}

const namedChannels: ReadonlyMap<number, string> = new Map([
  [1, 'gray'],
  [3, 'rgb or bgr'],
  [4, 'rgba'],
]);

/** Returns the setting that selects this number of channels. */
const expectedChannels = (count: number): string => namedChannels.get(count) ?? `${count}, a number of bands`;

function checkValues({ mean, std }: Required<Said>, { channels }: InputFacts): void {
  for (const [name, { value, from }] of Object.entries({ mean, std }))
    if (value.length !== 1 && value.length !== channels)
      throw new InputError(
        from === 'option' ? 'invalid_parameter' : 'invalid_model',
        `${name}: expected one number, or ${channels} for the network's channels; got ${value.length} (from ${sourceText(from)})`,
      );
}
