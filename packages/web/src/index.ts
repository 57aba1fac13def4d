export { InputError, type TargetSpec, type Warning } from '@whylight/core';
export type { Prediction } from '@whylight/core/preparation';
export type {
  Calls,
  Classification,
  ClassifyQuestion,
  CompileQuestion,
  Curves,
  Device,
  ExplainQuestion,
  Explanation,
  Judgement,
  JudgeQuestion,
  MethodFacts,
  ModelCheck,
} from './calls.ts';
export { drawOn, textMeasure } from './draw.ts';
export { type CallOptions, type ExplainerOptions, startExplainer, type WebExplainer } from './explainer.ts';
export { filesDropped } from './files-dropped.ts';
export type { ModelSource, OpenedModel } from './models/opened-model.ts';
export { type ImageSource, pixelsOf } from './pixels.ts';
export type { Backend, BackendOptions } from './worker/backend.ts';
