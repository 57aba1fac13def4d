/** Pictures of explanations: floats in, pixels and vector marks out. Fonts, files and canvases are the callers'. */
export * from './attribution.ts';
export { type Backdrop, backdrops } from './backdrop.ts';
export * from './canvas.ts';
export * from './caption.ts';
export {
  type Colormap,
  type ColormapName,
  colormapNames,
  colormaps,
  colourIndex,
  parseColormap,
} from './colormaps.ts';
export * from './heatmap.ts';
export { type HeatmapLayout, layOutHeatmap } from './heatmap-layout.ts';
export * from './layer.ts';
export * from './legend.ts';
export { type Panel, type PanelKind, panelKinds } from './library-panel.ts';
export * from './marks.ts';
export * from './overlay.ts';
export { type Painted, paint, paintOver, type Scenery } from './paint.ts';
export * from './panel.ts';
export { layOutPanels, type PanelsLayout } from './panels-layout.ts';
export * from './pytorch-grad-cam.ts';
export * from './ramp.ts';
export * from './scale.ts';
export type { Style } from './style.ts';
export * from './text-lines.ts';
export { tickLabel } from './tick-label.ts';
export { type Language, wordsOf } from './words.ts';
