/** Pictures: arrays in, arrays out. Decoding, fonts and files are the host's. */
export * from './attribution.ts';
export {
  type Colormap,
  type ColormapName,
  colormapNames,
  colormaps,
  colourIndex,
  parseColormap,
} from './colormaps.ts';
export * from './geometry.ts';
export * from './heatmap.ts';
export * from './highlight.ts';
export * from './overlay.ts';
export { type Explained, mapsOf, paint, type ScaledMap } from './paint.ts';
export * from './panel.ts';
export * from './picture.ts';
export * from './preprocess.ts';
export * from './preprocessing.ts';
export * from './pytorch-grad-cam.ts';
export { type MapsOnPhoto, type RegionMask, type RegionSpec, regionWeights } from './region-weights.ts';
export { type Resampling, resamplings } from './resample.ts';
export { resize, resizeMap } from './resize.ts';
export type { Style } from './style.ts';
