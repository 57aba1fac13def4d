/** What the page asks of an engine: one in this tab, or the service. Neither the state nor the view knows which it is. */
import type { Warning } from '@whylight/core';
import type { Region } from '@whylight/core/image';
import type { AttributionKind, Convention } from '@whylight/core/methods';
import type { Label, Prediction, PreprocessingReport } from '@whylight/core/preparation';
import type { Judgement, MethodFacts } from '@whylight/web';
import type { Photo } from '../photo/photo.ts';

export interface Watch {
  readonly signal: AbortSignal;
  /** Gets the part that is done, from 0 to 1. */
  readonly onProgress: (part: number) => void;
  /** Gets whether the engine can be reached. A job of the service goes on while it cannot. */
  readonly onReach?: (isReached: boolean) => void;
}

export type EngineFacts = TabFacts | ServiceFacts;

interface TabFacts {
  readonly place: 'tab';
  /** What computes: `WebAssembly`, or the name of a GPU. */
  readonly device: string;
  readonly threads: number;
  /** Why nothing faster computes. */
  readonly reasons: readonly string[];
}

export interface ServiceFacts {
  readonly place: 'service';
  readonly url: string;
  /** The names of its models, the default one first. */
  readonly models: readonly string[];
  /** Compute units that the key had left today when the page got it. */
  readonly unitsLeft: number;
}

/** A model that can be explained, and all methods with what they make of it. */
export interface ModelCard {
  readonly id: number;
  readonly name: string;
  readonly sha256: string;
  readonly classes: number;
  readonly labels: readonly Label[] | null;
  readonly methods: readonly MethodFacts[];
  /** The six methods that are shown first. */
  readonly suggested: readonly string[];
  /** How photos become its input, and who said each part of it. The service does not say it. */
  readonly preprocessing: PreprocessingReport | null;
  readonly notes: readonly string[];
}

/** Where a model comes from: the default one, files of the user's, or one that the service has under this name. */
export type ModelChoice = 'default' | { readonly files: readonly File[] } | { readonly name: string };

/** The classes that the network sees in a photo. */
export interface Classes {
  /** Every class, the likeliest first. The service tells a hundred. */
  readonly all: readonly Prediction[];
  readonly warnings: readonly Warning[];
  /** Milliseconds of one run of the network; 0 if nobody has measured it. */
  readonly run: number;
}

export interface Asked {
  readonly photo: Photo;
  readonly model: ModelCard;
  readonly method: string;
  /** A class by its index; null: the likeliest one. */
  readonly target: number | null;
}

/** The answer to one question, in numbers: pictures are drawn of it. */
export interface Result {
  readonly method: string;
  readonly convention: Convention;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly layers: readonly string[];
  readonly target: Prediction;
  readonly attribution: Float32Array;
  readonly shape: readonly number[];
  readonly kind: AttributionKind;
  readonly layout: 'NCHW' | 'NHWC';
  /** The part of the photo that the network saw, in the photo's pixels. */
  readonly region: Region;
  readonly convergenceDelta: number | null;
  readonly warnings: readonly Warning[];
  /** Milliseconds. */
  readonly compute: number;
  /** The service's explanation; absent if this tab has computed it. */
  readonly explanation?: ServiceExplanation | undefined;
}

export interface ServiceExplanation {
  readonly id: string;
  readonly url: string;
  readonly model: string;
  /** Digest of the photo that the service has. */
  readonly sha256: string;
  readonly isCached: boolean;
  readonly device: string | null;
}

/** The service does not take the key. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

export interface Engine {
  readonly facts: EngineFacts;
  /** @throws InputError that says what is wrong with the files */
  openModel(choice: ModelChoice, watch: Watch): Promise<ModelCard>;
  closeModel(model: ModelCard): Promise<void>;
  classify(photo: Photo, model: ModelCard, watch: Watch): Promise<Classes>;
  explain(asked: Asked, watch: Watch): Promise<Result>;
  /** How the score changes while pixels go in the order of a map, and by chance. Null where the network cannot be run freely. */
  readonly judge:
    | ((photo: Photo, model: ModelCard, result: Result, watch: Watch) => Promise<Judgement>)
    | null;
  /** The explainer of a result as an ONNX file. Null where the model's file is not at hand. */
  readonly compile:
    | ((model: ModelCard, result: Result, watch: Watch) => Promise<Uint8Array<ArrayBuffer>>)
    | null;
  close(): void;
}
