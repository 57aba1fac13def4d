import type { ServedModel } from './served-model.ts';

/** Members that both protocols need. */
export interface KServe {
  readonly version: string;
  /** The model; undefined before it is ready and when the worker stops. */
  readonly served: () => ServedModel | undefined;
  /** The model of that name. @throws Refusal */
  readonly named: (name: string) => ServedModel;
  /** Checks that it takes requests. @throws Refusal */
  readonly checkReady: (name: string) => void;
}

/** Variables of a request with a body: the body, and a signal for when nobody waits for the answer any more. */
export type Variables = { Variables: { body: Uint8Array; signal: AbortSignal } };
