/** Pictures of explanations: floats in, pixels and vector marks out. Fonts, files and canvases are the callers'. */
export * from './attribution.ts';
export {
  type Colormap,
  type ColormapName,
  colormapNames,
  colormaps,
  colourIndex,
  parseColormap,
} from './colormaps.ts';
export * from './heatmap.ts';
export * from './highlight.ts';
export * from './overlay.ts';
export { type Explained, mapsOf, paint, type ScaledMap } from './paint.ts';
export * from './panel.ts';
export * from './pytorch-grad-cam.ts';
export type { Style } from './style.ts';
