export { InputError } from '../errors.ts';
export { numericsVersion } from '../numerics-version.ts';
export { nearestName } from '../onnx/nearest-name.ts';
export { getOwn } from '../own.ts';
export { methods } from './list.ts';
export { type Convention, conventions, type Method, type Normalisation } from './method.ts';
export type { ResolvedQuestion } from './question.ts';
export { paramsJsonSchema, resolveMethod, resolveQuestion, takesLayers } from './resolve.ts';
