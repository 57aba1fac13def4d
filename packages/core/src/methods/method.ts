import type { z } from 'zod';
import type { Transformer } from '../layers/attention.ts';
import type { Region } from '../layers/view.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
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

/** What a method is built from: the network over the method's rows, inside a graph under construction. */
export interface Subject {
  readonly g: GraphBuilder;
  /** What is evaluated, one row per image or per sample: [rows, C, H, W]; at a layer for methods that start there. */
  readonly rows: Value;
  /** [rows, classes] */
  readonly logits: Value;
  /** What is explained of each class, [rows, classes]: the logits, or another kind of score. */
  readonly scored: Value;
  /** How much each class counts for each row's target, [rows, classes]: one-hot for a single class. */
  readonly chosen: Value;
  /** Feature maps that were asked for, or found. */
  readonly layers: readonly Value[];
  /** The network's own nodes, in order. */
  readonly nodes: readonly Node[];
  /** The network's attention. @throws InputError where it has none */
  transformer(): Transformer;
  /** ∂(Σ score of the target)/∂v for each v, unless said otherwise. */
  gradients(wanted: readonly Value[], how?: Differentiation): Value[];
}

export interface Differentiation {
  /** What is differentiated: Σ ⟨seed, y⟩ over these pairs y → seed; {scored → chosen} if not said. */
  readonly seeds?: ReadonlyMap<Value, Value>;
  /** Other derivatives than the operators have. */
  readonly rules?: VjpRules;
}

/** Facts about the classifier and the request that a method may need while it builds. */
export interface Setting<P> {
  readonly params: P;
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
  /** What part of the image each layer sees, if not all of it. */
  readonly layerRegions: readonly (Region | undefined)[];
  /** Takes the scale of a map that is min-maxed, [N]: how far its highest lay above its lowest. */
  readonly tellScale?: ((scale: Value) => void) | undefined;
}

export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** A white pixel before mean and std: 255 for a model that takes bytes; 1 if not said. */
  readonly white?: number;
}

/** What was asked for. */
export type Asked<P> = Pick<Setting<P>, 'params' | 'convention'>;

/** Reasons by axiom. */
export type Exceptions = Partial<Record<Axiom, string>>;

/** The network over the images themselves, and the layers that are looked at. */
export interface Seen extends Scored {
  readonly layers: readonly Value[];
}

interface Described<P> {
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
  /** What else is to be known of explanations of this network, whatever the image: a code, a colon, what it means. */
  remarksOn?(network: Seen, asked: Asked<P>): readonly Warning[];
  readonly needs: readonly ('gradient' | 'layer' | 'attention')[];
  readonly conventions: readonly Convention[];
  /** What a library does otherwise than the paper, and its convention therefore too. */
  readonly oddities?: Partial<Record<Convention, string>>;
  readonly params: z.ZodType<P>;
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
}

/** One run of one graph explains a batch. */
export interface Direct<P> extends Described<P> {
  build(subject: Subject, setting: Setting<P>): Value;
}

/**
 * Many evaluations per image: `samples` says what varies, `rows` makes what is evaluated, `each` adds up what a
 * chunk of samples gives, `finish` turns the sums into the attribution. All but `samples` and `fixed` is graph
 * code, so that a chunk crosses into the host as sums only, and so that the whole can be compiled into one file.
 */
export interface Sampled<P> extends Described<P> {
  /** The same with less arithmetic, where this network allows it. */
  incremental?(network: Scored, setting: Setting<P>): Incremental<P> | undefined;
  /** Names of recorded randomness that can be replayed. */
  readonly aux: readonly string[];
  /** Tensors whose first axis is the sample; a sample of zeros counts for nothing. */
  samples(setting: Setting<P>, aux: Samples): Readonly<Record<string, Tensor | Made>>;
  /** Tensors that are the same for all samples. */
  fixed?(setting: Setting<P>, aux: Samples): Samples;
  /** What the samples need to know of the image itself first. */
  prepare?(subject: Subject, setting: Setting<P>): Values;
  /** Prepare the baseline as well: its values are given as `baseline_…`. */
  readonly preparesBaseline?: boolean;
  /** Rows that each sample evaluates; 1 if not said. */
  perSample?(setting: Setting<P>): number;
  /** Evaluate the network from its first chosen layer on: `rows` makes that layer's values. */
  readonly startsAtLayer?: boolean;
  /** The rows to evaluate, [images, samples · perSample, C, H, W], of an image [images, 1, C, H, W]. */
  rows(g: GraphBuilder, image: Value, given: Values, setting: Setting<P>): Value;
  /** Sums over the samples, [images, …] each. */
  each(subject: SampledSubject, given: Values, setting: Setting<P>): Values;
  /** The attribution, from the image [images, C, H, W], the sums, and what was given. */
  finish(g: GraphBuilder, image: Value, given: Values, setting: Setting<P>): Value;
  /** Where attributions share out F(image) - F(baseline): that baseline; `null` with parameters with which they do not. */
  baseline?(g: GraphBuilder, image: Value, setting: Setting<P>): Value | null;
  /** The same where the sums tell: F(baseline), [images]. */
  reference?(given: Values): Value;
  /** What adds up to the difference, where that is not the attribution itself: before it is made a map, by feature. */
  shares?(g: GraphBuilder, image: Value, given: Values, setting: Setting<P>): Value;
}

/** The network over the images themselves, before anything is asked of it. */
export interface Scored {
  readonly g: GraphBuilder;
  readonly image: Value;
  readonly logits: Value;
}

/** Another way to the rows of a sampled method: of a value inside the network, from which on it is evaluated. */
export interface Incremental<P> {
  readonly start: Value;
  prepare(subject: Subject, setting: Setting<P>): Values;
  rows(g: GraphBuilder, image: Value, given: Values, setting: Setting<P>): Value;
}

export type Samples = Readonly<Record<string, Tensor>>;

/** Samples that are made when their turn comes: too many to hold at once. */
export interface Made {
  readonly dtype: 'float32';
  readonly shape: readonly number[];
  /** Samples `start` to `end`. */
  make(start: number, end: number): Tensor<'float32'>;
  /** The same in graph code: `count` samples from number `start`, a scalar, on; what comes after the last is not used. */
  draw?(g: GraphBuilder, start: Value, count: number): Value;
}
export type Values = Readonly<Record<string, Value>>;

/** Rows are laid out row = (image · samples + sample) · perSample + k. */
export interface SampledSubject extends Subject {
  /** [images, C, H, W] */
  readonly image: Value;
  /** Score of the target at the image itself, [images, 1]. */
  readonly score: Value;
  /** Score of the target at each row, [images, samples · perSample]. */
  readonly scores: Value;
  /** [rows, …] → [images, samples · perSample, …] */
  split(value: Value): Value;
}

// biome-ignore lint/suspicious/noExplicitAny: methods of every parameter type live in one list
export type Method = Direct<any> | Sampled<any>;

export const isSampled = (method: Method): method is Sampled<never> => 'samples' in method;

export const defineMethod = <P>(method: Direct<P> | Sampled<P>): Method => method;
