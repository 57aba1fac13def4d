export * from './api.ts';
export * from './canonical-json.ts';
export * from './compat.ts';
export * from './digest.ts';
export * from './job.ts';
export * from './look.ts';
export * from './signature.ts';
export * from './trace.ts';
