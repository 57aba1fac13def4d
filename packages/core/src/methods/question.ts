import type { z } from 'zod';
import type { ScoreKind, TargetSpec } from '../targets.ts';
import type { Convention, Params } from './method.ts';

/** A question as somebody asks it. What it leaves open is settled as the method has it. */
export interface AskedQuestion {
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly parameters?: Params | undefined;
  readonly layers?: readonly string[] | undefined;
  readonly score?: ScoreKind | undefined;
  readonly target?: TargetSpec | undefined;
}

/**
 * How images are explained and what for, with nothing left open, in the words of the API. It is resolved where it enters a
 * process and handed on as it is; an `ExplainerSpec` may be one.
 */
export interface ResolvedQuestion {
  readonly method: string;
  readonly method_version: string;
  readonly convention: Convention;
  /** Every parameter that the method has under the convention. */
  readonly parameters: Parameters;
  /** By tensor name or by number from the end; empty: the one that is found in the network. */
  readonly layers: readonly string[];
  readonly score: ScoreKind;
  readonly target: TargetSpec;
}

/** Parameters by name, as JSON holds them. */
export type Parameters = Readonly<Record<string, z.core.util.JSONType>>;
