export { InputError, type InputErrorCode, OutOfMemoryError } from './errors.ts';
export {
  type Attribution,
  compileExplainer,
  createExplainer,
  type Explainer,
  type ExplainerSpec,
  type LoopState,
} from './explainer.ts';
export { type GraphFile, graphFileOf, type ModelFiles, weightsBeside, wholeFile } from './graph-file.ts';
export {
  inspect,
  inspectClassifier,
  type MethodReport,
  type ModelReport,
  readForReport,
  recommendedFor,
} from './inspect.ts';
export { layerNames } from './layers/choose.ts';
export { type Classifier, type ClassifierOptions, readClassifier } from './model/classifier.ts';
export type { FirstOperations } from './model/first-operations.ts';
export type { Head } from './model/head.ts';
export type { SizeSource } from './model/input-sizes.ts';
export type { FixedInput, FixedInputs } from './model/inputs.ts';
export type { OutputSeen, Purpose } from './model/outputs-seen.ts';
export {
  isValueScore,
  parseValueScore,
  type ScoreSpec,
  scoreText,
  type ValueScore,
  type ValueScoreText,
} from './model/score-spec.ts';
export { type Task, tasks } from './model/task.ts';
export { readNpy, writeNpy } from './npy.ts';
export type { FilesBeside } from './onnx/data-range.ts';
export { type ExternalDataLimits, readExternalData } from './onnx/external-data.ts';
export { largestFile, type ReadLimits } from './onnx/limits.ts';
export { printable, quoted, shortened } from './onnx/names.ts';
export { getOwn } from './own.ts';
export { forwardGraph, forwardModel } from './programs/forward.ts';
export { type Deferred, deferred } from './runtime/deferred.ts';
export { fetchedTensor } from './runtime/fetched-tensor.ts';
export {
  answerRequests,
  type Exchange,
  RequestChannel,
} from './runtime/request-channel.ts';
export type { Runtime, Session } from './runtime/runtime.ts';
export { withoutPaths } from './runtime/without-paths.ts';
export { softmax } from './softmax.ts';
export { parseTarget, type ScoreKind, scoreKinds, type Target, type TargetSpec } from './targets.ts';
export * from './tensor.ts';
export { type Warning, warningText } from './warning.ts';
