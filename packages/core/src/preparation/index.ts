/** Finds a network's preprocessing of photos and its class names, from all statements about a model. */
export {
  type ClassNames,
  classNames,
  findClass,
  isNameCount,
  nameOf,
  oppositeOf,
} from './class-names.ts';
export { classifierOf, named } from './classifier.ts';
export { type DescribedModel, type Description, describe } from './described.ts';
export { explainerFor } from './explainer.ts';
export type { FixedElements } from './fixed-inputs.ts';
export { findLabel, type Label, labelFormatOf, parseLabels } from './labels.ts';
export {
  type FoundManifest,
  type Manifest,
  manifestBeside,
  manifestName,
  manifestSchema,
  parseManifest,
  statedIn,
} from './manifest.ts';
export { digested } from './older-preprocessing.ts';
export { createPlan, type ExplainerQuestion, type Plan } from './plan.ts';
export { predictionText } from './prediction-text.ts';
export {
  cropWarnings,
  doubts,
  highest,
  type Outputs,
  type Prediction,
  predictionOfTarget,
  predictionsOf,
  resolveTarget,
  shownValue,
  type Task,
} from './predictions.ts';
export {
  channelsFor,
  namesFor,
  type Prepared,
  type PreprocessingReport,
  preparationOf,
  prepare,
  preparedFor,
  shown,
  sidesFor,
} from './prepare.ts';
export { imagenet, normalisationBy, preprocessingSchema, presets } from './preprocessing.ts';
export { readingOf, statedParts, statedSides } from './reading.ts';
export { type Found, foundBeside, foundIn, isGuessed, labelsIn, type ReadText } from './sources/beside.ts';
export { metadataIn, mostTextBytes, scanMetadata } from './sources/file-metadata.ts';
export type { Preparation, Source } from './sources/put-together.ts';
export { sourceText } from './sources/said.ts';
export { colourOf } from './sources/stated.ts';
