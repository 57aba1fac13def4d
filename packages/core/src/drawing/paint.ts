import { type FloatMap, floatMap, type Picture, type Region } from '../image/picture.ts';
import type { Tensor } from '../tensor.ts';
import { minMax, pixelsToMap, range } from './attribution.ts';
import type { Colormap } from './colormaps.ts';
import { highlight } from './highlight.ts';
import { type OverlayOptions, overlay } from './overlay.ts';
import { computeHighlighting, keepsScaling, type Style } from './style.ts';

/** One explanation, and the meaning of its numbers. */
export interface Explained {
  /** A map [1, h, w] or [1, 1, h, w], or a value per pixel and channel. */
  readonly attribution: Tensor<'float32'>;
  /** The network's layout. */
  readonly layout: 'NCHW' | 'NHWC';
  /** Whether the method gives a value per pixel and channel, and not a map. */
  readonly isPixels: boolean;
}

/** A map with the values at the ends of its colours. */
export interface ScaledMap {
  readonly map: FloatMap;
  readonly minimum: number;
  readonly maximum: number;
  readonly colormap: Colormap;
}

export interface Scenery extends Explained {
  readonly photo: Picture;
  /** The region of the map on the photo. */
  readonly region: Region;
  /** Default: the method's own style. */
  readonly style?: Style | undefined;
}

/** Draws the explanation over the photo, without a caption; also returns the map that a heat map shows alone. */
export function paint({ photo, region, style = {}, ...explained }: Scenery): {
  readonly explained: Picture;
  readonly alone: ScaledMap;
} {
  const { over, overlayOptions, alone, values, isMap } = mapsOf(explained);
  if (!keepsScaling(style)) {
    const { map, options, alone: scaled } = computeHighlighting(values, isMap, style);
    return { explained: highlight(photo, map, region, options), alone: scaled };
  }
  const colours = style.colormap ? { colormap: style.colormap } : {};
  const weight = style.opacity === undefined ? {} : { alpha: 1 - style.opacity };
  return {
    explained: overlay(photo, over, region, { ...overlayOptions, ...colours, ...weight }),
    alone: { ...alone, ...colours },
  };
}

/** torchcam squares a map before it colours it; for scattered pixels that leaves almost nothing to see. */
const sparse = { squared: false, alpha: 0.5 };

/**
 * Makes the maps to draw. Over the photo, maps are min-maxed and attributions of pixels are drawn by magnitude. Alone,
 * maps keep their own scale, and attributions of pixels show for (+) and against (−).
 */
export function mapsOf({ attribution, layout: given, isPixels }: Explained): {
  readonly over: FloatMap;
  readonly overlayOptions: OverlayOptions;
  /** For attributions of pixels: their sums over the channels. */
  readonly values: FloatMap;
  readonly isMap: boolean;
  readonly alone: ScaledMap;
} {
  const { shape, data } = attribution;
  // pytorch-grad-cam's guided backpropagation puts the channels last, whatever the model takes.
  const layout = shape.length === 4 && shape[3]! <= 4 && shape[1]! > 4 ? 'NHWC' : given;
  // For a grey image, attributions of pixels have the shape of a map.
  const plain = shape.length === 3 || (shape[1] === 1 && !isPixels);
  if (!plain) {
    const map = pixelsToMap(attribution, { layout });
    const signed = range(map.data)[0] < 0;
    return {
      over: pixelsToMap(attribution, { layout, sign: 'absolute' }),
      overlayOptions: sparse,
      values: pixelsToMap(attribution, { layout, outlierPercent: 0 }),
      isMap: false,
      alone: signed
        ? { map, minimum: -1, maximum: 1, colormap: 'RdWhGn' }
        : { map, minimum: 0, maximum: 1, colormap: 'viridis' },
    };
  }
  const [height, width] = shape.slice(-2) as [number, number];
  const map = floatMap(width, height, data);
  const [minimum, maximum] = range(data);
  const scale = minimum < maximum ? { minimum, maximum } : { minimum: 0, maximum: 1 };
  return {
    over: floatMap(width, height, minMax(data)),
    overlayOptions: {},
    values: map,
    isMap: true,
    alone: { map, ...scale, colormap: 'jet' },
  };
}
