export { answerRequests, type Exchange, RequestChannel } from '@whylight/core';
export { type Panel, type PanelKind, panelKinds } from '@whylight/core/drawing';
export {
  classifierOf,
  colourOf,
  type FixedElements,
  findLabel,
  isNameCount,
  type Label,
  type Manifest,
  manifestSchema,
  named,
  namesFor,
  normalisationBy,
  type Prepared,
  predictionText,
  preparationOf,
  prepare,
  preparedFor,
  presets,
  readingOf,
  shown,
  shownValue,
  sourceText,
  statedParts,
  statedSides,
} from '@whylight/core/preparation';
export type { MethodVerdict } from './checking/check-methods.ts';
export { type Checked, type CheckReport, checkModel, defaultBudget } from './checking/check-model.ts';
export { type Classification, PhotoClassifier } from './classification/photo-classifier.ts';
export { decodeImage, decodePhoto, type PhotoType, photoTypes, servicePhotoTypes } from './codec/decode.ts';
export { encodeJpeg, encodePng } from './codec/encode.ts';
export { sniffMediaType } from './codec/media-type.ts';
export { ExplainerCache } from './explanation/explainer-cache.ts';
export type { PhotoExplanation, PhotoRequest, Watch } from './explanation/explanation.ts';
export type { Fit } from './explanation/fit.ts';
export { type ExplainedFrame, FrameExplainer, type FrameRequest } from './explanation/frame-explainer.ts';
export { PhotoExplainer, type PhotoExplainerOptions } from './explanation/photo-explainer.ts';
export { type FinishedExplanation, renderResult } from './explanation/render-result.ts';
export { TensorExplainer, type TensorExplanation } from './explanation/tensor-explainer.ts';
export { DownloadError } from './models/download.ts';
export { readLabels } from './models/manifest.ts';
export {
  type Asked,
  heldModel,
  modelAt,
  type RegisteredModel,
  withAsked,
} from './models/registered-model.ts';
export {
  defaultModel,
  embeddedModels,
  ModelNotFoundError,
  ModelRegistry,
  type ModelSource,
  shapesModel,
} from './models/registry.ts';
export { type AddOptions, ModelStore, type PullOptions } from './models/store.ts';
export { readZoo, type Zoo } from './models/zoo.ts';
export { type PanelsInput, renderPanels } from './rendering/panels.ts';
export { type ChartInput, type Column, renderChart } from './rendering/render-chart.ts';
export { type HeatmapInput, renderHeatmap } from './rendering/render-heatmap.ts';
export { type OverlayInput, renderOverlay } from './rendering/render-overlay.ts';
export { createRenderPool, type RenderPool } from './rendering/render-pool.ts';
export type { RenderedPicture } from './rendering/rendered-picture.ts';
export { errorOf, failureOf } from './runtime/failure.ts';
export { type ExecutionProvider, executionProviders, ProviderUnavailableError } from './runtime/provider.ts';
export { createRuntime, DeviceError, type RuntimeOptions } from './runtime/runtime.ts';
export { createThreadedRuntime } from './runtime/threaded-runtime.ts';
export type { BatchSettings } from './scheduling/batcher.ts';
export { Budget } from './scheduling/budget.ts';
export { FairQueue, leavePlaces, type Ticket } from './scheduling/fair-queue.ts';
export { shareFairly } from './scheduling/fair-runtime.ts';
export { KeyedSlots } from './scheduling/keyed-slots.ts';
export { LeaseCache, type LeaseLimits } from './scheduling/lease-cache.ts';
