import type { ServedModel } from './served-model.ts';

/** What both protocols need. */
export interface KServe {
  readonly version: string;
  /** The model; undefined before it is ready and when the worker stops. */
  readonly served: () => ServedModel | undefined;
  /** The model of that name. @throws Refusal */
  readonly named: (name: string) => ServedModel;
  /** Checks that it takes requests. @throws Refusal */
  readonly checkReady: (name: string) => void;
}

/** Of a request with a body: the body, and what says that nobody waits for the answer any more. */
export type Variables = { Variables: { body: Uint8Array; signal: AbortSignal } };
