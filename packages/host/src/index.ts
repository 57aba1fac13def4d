export type { BatchSettings } from './batcher.ts';
export { decodeImage, type PhotoType, photoTypes, servicePhotoTypes } from './decode.ts';
export { DownloadError } from './download.ts';
export { encodeJpeg, encodePng } from './encode.ts';
export type { Artifact, ArtifactName, PhotoExplanation, PhotoRequest, Watch } from './explanation.ts';
export { errorOf, type Failure, failureOf } from './failure.ts';
export type { Fit } from './fit.ts';
export { type ExplainedFrame, FrameExplainer, type FrameRequest } from './frame-explainer.ts';
export { findLabel, type Label } from './labels.ts';
export { LeaseCache, type LeaseLimits } from './lease-cache.ts';
export { inputShapeOf, type Manifest, manifestSchema, presets, readingOf, readLabels } from './manifest.ts';
export { sniffMediaType } from './media-type.ts';
export { type Drawing, drawings, type Panel, type PanelsRendering, renderPanels } from './panels.ts';
export { type Classification, PhotoClassifier } from './photo-classifier.ts';
export { PhotoExplainer, type PhotoExplainerOptions } from './photo-explainer.ts';
export { type ExecutionProvider, executionProviders, ProviderUnavailableError } from './provider.ts';
export { type Redrawing, redraw } from './redraw.ts';
export {
  embeddedModels,
  heldModel,
  ModelNotFoundError,
  ModelRegistry,
  type ModelSource,
  type RegisteredModel,
} from './registry.ts';
export {
  type HeatmapRendering,
  type OverlayRendering,
  type Rendering,
  renderHeatmap,
  renderOverlay,
} from './render.ts';
export { type ChartRendering, type Column, renderChart } from './render-chart.ts';
export type { Prediction, Result, TargetSpec } from './result.ts';
export { createRuntime, DeviceError, type RuntimeOptions } from './runtime.ts';
export { type AddOptions, ModelStore, type PullOptions } from './store.ts';
export { createStudio, type Studio } from './studio.ts';
export { createThreadedRuntime } from './threaded-runtime.ts';
export { inTurns } from './turns.ts';
export type { Visualization } from './visualization.ts';
export { readZoo, type Zoo } from './zoo.ts';
