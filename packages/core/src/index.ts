export { InputError, type InputErrorCode } from './errors.ts';
export type { Runtime, Session } from './runtime/runtime.ts';
export * from './tensor.ts';
