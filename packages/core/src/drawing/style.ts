import type { Backdrop } from './backdrop.ts';
import type { Colormap } from './colormaps.ts';

/** The look of a drawn explanation; members that are left out have the method's own values. */
export interface Style {
  /** Language of class names and captions; default: English. */
  readonly language?: 'en' | 'zh' | undefined;
  /** Attributions that count: for the class, against it, both in different colours, or all by magnitude. */
  readonly polarity?: 'positive' | 'negative' | 'both' | 'absolute' | undefined;
  readonly colormap?: Colormap | undefined;
  /** Weight of the colours over the photo, 0 < opacity ≤ 1. */
  readonly opacity?: number | undefined;
  /** Percentiles of the magnitudes: what is weaker than the lower one is hidden, from the upper one on colours are strongest. */
  readonly clip?: readonly [lower: number, upper: number] | undefined;
  readonly backdrop?: Backdrop | undefined;
  readonly outlines?: boolean | undefined;
}

/** Tells whether the style keeps the method's own scaling: it changes at most the colours and their weight. */
export const keepsScaling = ({ polarity, clip, backdrop = 'original', outlines = false }: Style): boolean =>
  polarity === undefined && clip === undefined && backdrop === 'original' && !outlines;
