export { numericsVersion } from '../numerics-version.ts';
export { getOwn } from '../own.ts';
export { methods } from './list.ts';
export { type Convention, conventions, type Method, type Normalisation } from './method.ts';
export { checkLayerCount, paramsJsonSchema, type ResolvedMethod, resolveMethod } from './resolve.ts';
