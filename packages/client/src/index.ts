export { type Answer, WhylightClient } from './client.ts';
export type { Connection } from './http.ts';
export { ProblemError } from './problem-error.ts';
