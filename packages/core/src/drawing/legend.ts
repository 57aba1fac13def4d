import { range } from './attribution.ts';
import type { ScaledAttribution } from './scale.ts';
import { tickLabel } from './tick-label.ts';
import { type Language, wordsOf } from './words.ts';

/** What the colours of a picture mean, in words. */
export interface Legend {
  /** From the top of the colour bar to its bottom: where it stands, from 1 (top) to 0, and its text. */
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** The unit, where colours end, and what is hidden or was not seen. */
  readonly notes: readonly string[];
}

export interface LegendOptions {
  readonly language?: Language | undefined;
  /** How much of the photo the network saw, 0 to 1. */
  readonly coverage?: number | undefined;
  /** Whether a line shows where the colours have half of their strength. */
  readonly contour?: boolean | undefined;
}

/** Words the scale of an attribution: the value at each end of the colours as it is, in the method's own numbers. */
export function legendOf(
  scaled: ScaledAttribution,
  { language = 'en', coverage = 1, contour = false }: LegendOptions = {},
): Legend {
  const { shown, unit, end, endPercentile, hiddenTo, hiddenPercentile, values } = scaled;
  const words = wordsOf[language];
  const [least, most] = range(values.data);
  // An end that some values lie beyond is the colour of all of these.
  const top = `${most > end ? '> ' : ''}${tickLabel(end)}`;
  const bottom = `${least < -end ? '< ' : ''}${tickLabel(-end)}`;
  const named = (value: string, side: string) => `${value} ${side}`;
  const ending = endPercentile < 100 ? words.endsAtPercentile(endPercentile) : words.endsAtLargest;
  return {
    ticks: {
      both: [named(top, words.for), tickLabel(0), named(bottom, words.against)],
      for: [top, tickLabel(end / 2), tickLabel(0)],
      against: [tickLabel(0), tickLabel(-end / 2), bottom],
      magnitude: [top, tickLabel(end / 2), tickLabel(0)],
    }[shown].map((text, i) => ({ at: 1 - i / 2, text })),
    notes: [
      words.units[unit],
      ending,
      ...(contour ? [words.contour] : []),
      ...(hiddenTo > 0 ? [words.hidden(hiddenPercentile)] : []),
      ...(coverage < wholePhoto ? [words.saw(percentText(coverage))] : []),
    ],
  };
}

/** From here on, only the rounding of a crop's edges is missing. */
const wholePhoto = 0.99;
/** A photo of which the network saw less than this is better explained without a crop. */
const smallPart = 0.4;

export const isSmallPart = (coverage: number): boolean => coverage < smallPart;

export const percentText = (share: number): string =>
  share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`;
