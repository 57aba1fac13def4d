export * from './address.ts';
export { adviseOn } from './advice.ts';
export * from './fault.ts';
