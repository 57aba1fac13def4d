import type { z } from 'zod';
import type { ScoreKind, TargetSpec } from '../targets.ts';
import type { Convention, Params } from './method.ts';

/** A question as a caller asks it. Values that it leaves open are set to the defaults of the method. */
export interface AskedQuestion {
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly parameters?: Params | undefined;
  readonly layers?: readonly string[] | undefined;
  readonly score?: ScoreKind | undefined;
  readonly target?: TargetSpec | undefined;
}

/**
 * A question with all values set, in the words of the API: the method and the target of explanations. It is resolved
 * where it enters a process and then passed on unchanged; an `ExplainerSpec` may be a resolved question.
 */
export interface ResolvedQuestion {
  readonly method: string;
  readonly method_version: string;
  readonly convention: Convention;
  /** Every parameter that the method has under the convention. */
  readonly parameters: Parameters;
  /** Layers by tensor name or by number from the end; if empty, the layer that is found in the network. */
  readonly layers: readonly string[];
  readonly score: ScoreKind;
  readonly target: TargetSpec;
}

/** Parameters by name, as JSON holds them. */
export type Parameters = Readonly<Record<string, z.core.util.JSONType>>;
