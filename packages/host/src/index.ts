export * from './provider.ts';
export * from './runtime.ts';
