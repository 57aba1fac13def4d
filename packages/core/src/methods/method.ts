import type { z } from 'zod';
import type { Transformer } from '../layers/attention.ts';
import type { Form } from '../layers/form.ts';
import type { Region } from '../layers/view.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Expression } from '../onnx/expression.ts';
import type { Node } from '../onnx/graph.ts';
import type { VjpRules } from '../operators/vjp/rule.ts';
import type { ScoreKind } from '../targets.ts';
import type { Tensor } from '../tensor.ts';
import type { Warning } from '../warning.ts';

export const conventions = ['paper', 'torchcam', 'pytorch-grad-cam', 'captum'] as const;
/** Whose numbers come out where libraries differ under one name. */
export type Convention = (typeof conventions)[number];

export const axioms = ['completeness', 'dummy', 'linearity', 'implementation invariance'] as const;
/**
 * What holds of an attribution a: `completeness`, Σ a = y(x) - y(baseline); `dummy`, a = 0 where a
 * pixel does not count for y; `linearity`, the attribution of y_c + y_d is the sum of both attributions;
 * `implementation invariance`, networks that compute the same function have the same attribution.
 *
 * @see Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", 2017
 */
export type Axiom = (typeof axioms)[number];

export type Params = Readonly<Record<string, unknown>>;

/**
 * What is explained: the network over some images, with a score for each. A method's formula is written with its values;
 * every value is evaluated once, and only if the formula uses it.
 */
export interface Subject {
  /** The images, [N, C, H, W]; of a subject that starts at a layer, the layer's values. */
  readonly image: Expression;
  /** [N, classes] */
  readonly logits: Expression;
  /** What is explained of each class, [N, classes]: the logits, or another kind of score. */
  readonly scored: Expression;
  /** How much each class counts for each image's target, [N, classes]: one-hot for a single class. */
  readonly chosen: Expression;
  /** The explained score of each image, [N, 1]. */
  readonly score: Expression;
  /** What the explained score is the sum of, with its factors: scored and chosen, or of a region its pixels. */
  readonly terms: { readonly values: Expression; readonly factors: Expression };
  /** Feature maps that were asked for, or found, [N, C, h, w] each. */
  readonly layers: readonly Expression[];
  /** The network's own nodes, in order. */
  readonly nodes: readonly Node[];
  /** Recorded samples that are replayed instead of drawn, by name. */
  readonly aux: Samples;
  /** The network's attention. @throws InputError where it has none */
  transformer(): Transformer;
  /** ∂(Σ score)/∂v for each value v, unless said otherwise. */
  gradients(wanted: readonly Expression[], how?: Differentiation): Expression[];
  /** ∂(Σ score)/∂image, unless said otherwise. */
  gradient(how?: Differentiation): Expression;
  /** The same question about other images, inside the body of a loop. */
  at(images: Expression): Subject;
  /** The same question about other values [N, C, h, w] of the first layer: the network from there on. */
  from(values: Expression): Subject;
  /** The same question, with all but a value inside the network given: the network from there on. */
  startingFrom(inside: Value, values: Expression): Subject;
  /**
   * The sum of a body over samples: a loop that a run feeds in chunks, and that a compiled explainer has as Scan.
   *
   * The body is given a chunk of each kind of sample, [samples, …], and returns sums over the chunk. Without samples it
   * runs once. The samples of a chunk fill up with zeros where the network takes batches of one size only: a sample of
   * zeros has to count for nothing.
   */
  over<S extends SampleSet, T extends Sums>(
    samples: S,
    body: (chunk: { readonly [K in keyof S]: Expression }) => T,
    options?: LoopOptions,
  ): T;
  /** The same where each sample needs what the one before it left: one sample after another. */
  overInTurn<S extends SampleSet, T extends Sums>(
    samples: S,
    first: T,
    body: (sample: { readonly [K in keyof S]: Expression }, state: T) => T,
  ): T;
  /** A tensor that is the same for all images, and that another request may replace. */
  given(tensor: Tensor): Expression;
  /** Says that attributions, or what they are made of, add up to the score minus another one [N, 1]. */
  addsUp(shares: Expression, from: () => Expression): void;
}

/** By name, tensors whose first axis is the sample. */
export type SampleSet = Readonly<Record<string, Tensor | Made>>;
/** What a loop adds up, [1, …] each. */
export type Sums = Expression | Readonly<Record<string, Expression>>;

export interface LoopOptions {
  /** One sample at a time, because the body has a loop of its own. */
  readonly oneByOne?: boolean;
}

export interface Differentiation {
  /** What is differentiated: Σ ⟨seed, y⟩ over these pairs y → seed; the explained score if not said. */
  readonly seeds?: ReadonlyMap<Expression, Expression>;
  /** Other derivatives than the operators have. */
  readonly rules?: VjpRules;
}

/** Facts about the classifier and the request that a method may need while it builds. */
export interface Setting<P> {
  readonly parameters: P;
  readonly convention: Convention;
  /** [C, H, W], or [H, W, C] for NHWC. */
  readonly inputShape: readonly number[];
  readonly height: number;
  readonly width: number;
  readonly layout: 'NCHW' | 'NHWC';
  /** The model's normalisation, for baselines in its space. */
  readonly normalisation: Normalisation | undefined;
  /** [C, h, w] of each layer that is looked at. */
  readonly layerShapes: readonly (readonly number[])[];
  /** The value of the network that each layer is a map of, and how it holds that map. */
  readonly layerValues: readonly { readonly name: Value; readonly form: Form }[];
  /** What part of the image each layer sees, if not all of it. */
  readonly layerRegions: readonly (Region | undefined)[];
  /** Takes the scale of a map that is min-maxed, [N]: how far its highest lay above its lowest. */
  readonly tellScale?: ((scale: Expression) => void) | undefined;
  /** Whether a cheaper way to the same numbers is taken where there is one. */
  readonly incremental: boolean;
}

export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** A white pixel before mean and std: 255 for a model that takes bytes; 1 if not said. */
  readonly white?: number;
}

/** What was asked for. */
export type Asked<P> = Pick<Setting<P>, 'parameters' | 'convention'>;

/** Reasons by axiom. */
export type Exceptions = Partial<Record<Axiom, string>>;

/** The network over the images themselves, and the layers that are looked at. */
export interface Seen extends Scored {
  readonly layers: readonly Value[];
}

/** A method: its facts and its formula. */
export interface MethodOf<P> {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it shows. */
  readonly summary: string;
  readonly paper: string;
  /** Changes when the numbers change: part of the cache key. */
  readonly version: string;
  /** `map`: [N, H, W]; `pixels`: [N, C, H, W]. */
  readonly kind: 'map' | 'pixels';
  /** What holds before values are normalised, whatever the network unless `exceptions` say otherwise; none if not said. */
  readonly axioms?: readonly Axiom[];
  /** Where an axiom holds under a condition: that condition, in words. */
  readonly provided?: Partial<Record<Axiom, string>>;
  /** Why axioms do not hold with these parameters. */
  exceptions?(asked: Asked<P>): Exceptions;
  /** Why axioms do not hold of this network. */
  exceptionsOf?(network: Seen, asked: Asked<P>): Exceptions;
  /** More notes on explanations of this network, for every image: a code, a colon, the meaning. */
  remarksOn?(network: Seen, asked: Asked<P>): readonly Warning[];
  readonly needs: readonly ('gradient' | 'layer' | 'attention')[];
  readonly conventions: readonly Convention[];
  /** What a library does otherwise than the paper, and its convention therefore too. */
  readonly deviations?: Partial<Record<Convention, string>>;
  readonly parameters: z.ZodType<P>;
  /** Defaults that differ under a convention. */
  readonly defaults?: Partial<Record<Convention, Params>>;
  /** Looks at one layer only. */
  readonly singleLayer?: boolean;
  /** The kind of score that is explained unless another is asked for; logits if not said. */
  readonly score?: ScoreKind;
  /** Explains logits only. */
  readonly logitsOnly?: boolean;
  /** Explains one class, no sum of classes. */
  readonly oneClass?: boolean;
  /** Tells a class from others, and so needs a model that has some. */
  readonly needsOtherClasses?: boolean;
  /** Has nothing to say where the score is 0. */
  readonly dividesByScore?: boolean;
  /** Parameters that only some conventions have. */
  readonly only?: Readonly<Record<string, readonly Convention[]>>;
  /** What to give in place of such a parameter under the other conventions. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Evaluates the network for many samples of one image, so that images are explained one by one. */
  readonly sampled?: boolean;
  /** Names of recorded samples that can be replayed. */
  readonly aux?: readonly string[];
  /** The method that explains each sample, with these parameters, where another one does. */
  base?(parameters: P): Method | undefined;
  /** What finds recorded samples in an image [1, C, H, W] before its graphs run; nothing where these parameters want none. */
  samplesFrom?(setting: Setting<P>): ((image: Tensor<'float32'>) => Samples) | undefined;
  /** What these parameters make of it, where that is evaluated in another way. */
  variant?(parameters: P): Method | undefined;
  /** The attribution of each image. */
  explain(subject: Subject, setting: Setting<P>): Expression;
}

/** What a method looks at with these parameters. */
export const needsOf = (method: Method, parameters: unknown): Method['needs'] => [
  ...new Set([...method.needs, ...(method.base?.(parameters)?.needs ?? [])]),
];

/** Whether a method gives maps [N, H, W] or values of pixels [N, C, H, W], with these parameters. */
export const kindOf = (method: Method, parameters: unknown): Method['kind'] =>
  (method.base?.(parameters) ?? method).kind;

/** The network over the images themselves, before anything is asked of it. */
export interface Scored {
  readonly g: GraphBuilder;
  readonly image: Value;
  readonly logits: Value;
}

export type Samples = Readonly<Record<string, Tensor>>;

/** Samples that are made when their turn comes: too many to hold at once. */
export interface Made {
  readonly dtype: 'float32';
  readonly shape: readonly number[];
  /** Samples `start` to `end`. */
  make(start: number, end: number): Tensor<'float32'>;
  /** The same in graph code: `count` samples from number `start`, a scalar, on; what comes after the last is not used. */
  draw?(start: Expression, count: number): Expression;
}

// biome-ignore lint/suspicious/noExplicitAny: methods of every parameter type live in one list
export type Method = MethodOf<any>;

export const defineMethod = <P>(method: MethodOf<P>): Method => method;
