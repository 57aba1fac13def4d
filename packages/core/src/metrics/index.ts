/** Measures of the quality of an explanation: pure functions over a scorer of images. The caller owns the sessions. */
export * from './arcc.ts';
export * from './average-drop.ts';
export * from './deletion-insertion.ts';
export { imputed } from './imputation.ts';
export * from './infidelity.ts';
export * from './localisation.ts';
export type { Layout } from './pixels.ts';
export * from './randomisation.ts';
export { rankCorrelation } from './rank-correlation.ts';
export * from './road.ts';
export * from './scorer.ts';
export * from './sensitivity.ts';
