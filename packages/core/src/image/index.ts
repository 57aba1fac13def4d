/** Photos as arrays: geometry, resizing, and the way from a photo to a network's input. Decoding is the host's. */
export * from './geometry.ts';
export * from './picture.ts';
export * from './preprocess.ts';
export * from './preprocessing.ts';
export { type MapsOnPhoto, type RegionMask, type RegionSpec, regionWeights } from './region-weights.ts';
export { type Resampling, resamplings } from './resample.ts';
export { resize, resizeMap } from './resize.ts';
