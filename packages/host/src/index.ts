export { DownloadError } from './download.ts';
export { findLabel, type Label } from './labels.ts';
export { inputShapeOf, type Manifest, manifestSchema, presets } from './manifest.ts';
export { type ExecutionProvider, executionProviders, ProviderUnavailableError } from './provider.ts';
export {
  embeddedModels,
  ModelNotFoundError,
  ModelRegistry,
  type ModelSource,
  type RegisteredModel,
} from './registry.ts';
export { createRuntime, DeviceError, type RuntimeOptions } from './runtime.ts';
export { type AddOptions, ModelStore, type PullOptions } from './store.ts';
export { readZoo, type Zoo } from './zoo.ts';
