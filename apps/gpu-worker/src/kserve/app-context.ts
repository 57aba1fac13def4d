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

export type Variables = { Variables: { signal: AbortSignal } };
