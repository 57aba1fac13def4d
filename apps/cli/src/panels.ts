import type { Language } from '@whylight/contract';
import { readNpy, type Tensor } from '@whylight/core';
import { type Colormap, colormapNames, parseColormap, type Sign, signs } from '@whylight/core/drawing';
import {
  decodeImage,
  encodePng,
  type PanelKind,
  type PhotoExplanation,
  panelKinds,
  photoTypes,
  renderPanels,
} from '@whylight/host';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from './failure.ts';

export interface PanelOptions {
  readonly panels?: PanelKind[];
  readonly signs?: Sign[];
  readonly titles?: string[];
  readonly outlierPerc: number;
  readonly colormap?: Colormap;
  readonly alphaOverlay: number;
}

const among =
  <T extends string>(known: readonly T[]) =>
  (text: string): T[] =>
    text.split(',').map((part) => {
      const name = (part.trim() === 'absolute_value' ? 'absolute' : part.trim()) as T;
      if (!known.includes(name)) throw new InvalidArgumentError(`Expected some of ${known.join(', ')}.`);
      return name;
    });

export function within(most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0 && value <= most))
      throw new InvalidArgumentError(`Expected a number within 0..${most}.`);
    return value;
  };
}

function colormap(text: string): Colormap {
  try {
    return parseColormap(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

export const colormapOption = (): Option =>
  new Option(
    '--colormap <map>',
    `colours of heat maps: ${colormapNames.join(', ')}, or 0:#ffffff,0.25:#000000,1:#000000`,
  ).argParser(colormap);

export const alphaOption = (): Option =>
  new Option('--alpha <weight>', 'weight of the photo where colours are strongest, 0 to 1').argParser(
    within(1),
  );

/** Adds --panels and its further options: Captum's panels beside the other pictures. */
export const withPanelOptions = (command: Command): Command =>
  command
    .option(
      '--panels <name,name>',
      `also write panels.png with these panels: ${panelKinds.join(', ')}`,
      among(panelKinds),
    )
    .option(
      '--signs <name,name>',
      `signs that each panel shows, or one for all panels: ${signs.join(', ')}`,
      among(signs),
    )
    .option('--titles <text,text>', 'title of each panel', (text: string) => text.split(','))
    .option(
      '--outlier-perc <percent>',
      'percentage of values that lie beyond the ends of the colour scale',
      within(100),
      2,
    )
    .option('--alpha-overlay <weight>', 'weight of the heat map in blended_heat_map, 0 to 1', within(1), 0.5)
    .addOption(colormapOption());

/** Reads the options of the panels before anything is computed. @throws UsageError */
export function panelsOf({ panels = [], signs: given = ['all'], titles }: PanelOptions) {
  if (given.length !== 1 && given.length !== panels.length)
    throw new UsageError(
      `--signs: expected one, or one for each of ${panels.length} panels; got ${given.length}`,
    );
  if (titles && titles.length !== panels.length)
    throw new UsageError(`--titles: expected one for each of ${panels.length} panels; got ${titles.length}`);
  return panels.map((method, i) => {
    const sign = given[i] ?? given[0]!;
    if (sign === 'all' && (method === 'masked_image' || method === 'alpha_scaling'))
      throw new UsageError(`--signs: ${method} shows one sign; give it positive, negative or absolute`);
    return { method, sign, title: titles?.[i] };
  });
}

/** The panels of one explanation as PNG. */
export async function drawPanels(
  photo: Uint8Array,
  { result, artifacts }: PhotoExplanation,
  layout: 'NCHW' | 'NHWC',
  options: PanelOptions & { readonly lang: Language },
): Promise<Uint8Array> {
  const { picture } = await renderPanels({
    photo: await decodeImage(photo, { allow: photoTypes }),
    region: result.input_region,
    attribution: readNpy(artifacts.get('attribution.npy')!) as Tensor<'float32'>,
    layout,
    panels: panelsOf(options),
    outlierPercent: options.outlierPerc,
    colormap: options.colormap,
    alphaOverlay: options.alphaOverlay,
    language: options.lang,
  });
  return encodePng(picture);
}
