/** What the page asks of an engine: one in this tab, or the service. Neither the state nor the view knows which it is. */
import type { Warning } from '@whylight/core';
import type { Region } from '@whylight/core/image';
import type { AttributionKind, Convention } from '@whylight/core/methods';
import type { Label, Prediction, PreprocessingReport } from '@whylight/core/preparation';
import type { MethodFacts } from '@whylight/web';
import type { Photo } from '../photo/photo.ts';

export interface Watch {
  readonly signal: AbortSignal;
  /** Gets the part that is done, from 0 to 1. */
  readonly onProgress: (part: number) => void;
}

export interface EngineFacts {
  readonly place: 'tab' | 'service';
  /** What computes: `WebAssembly`, the name of a GPU, or the address of the service. */
  readonly device: string;
  readonly threads: number;
  /** Why nothing faster computes. */
  readonly reasons: readonly string[];
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
  /** How photos become its input, and who said each part of it. */
  readonly preprocessing: PreprocessingReport;
  readonly notes: readonly string[];
}

/** Where a model comes from: the default one, or files of the user's. */
export type ModelChoice = 'default' | { readonly files: readonly File[] };

/** What the network says of a photo. */
export interface Classes {
  /** Every class, the likeliest first. */
  readonly all: readonly Prediction[];
  readonly warnings: readonly Warning[];
  /** Milliseconds of one run of the network. */
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
}

export interface Engine {
  readonly facts: EngineFacts;
  /** @throws InputError that says what is wrong with the files */
  openModel(choice: ModelChoice, watch: Watch): Promise<ModelCard>;
  closeModel(model: ModelCard): Promise<void>;
  classify(photo: Photo, model: ModelCard, watch: Watch): Promise<Classes>;
  explain(asked: Asked, watch: Watch): Promise<Result>;
  /** The explainer of a result as an ONNX file. */
  compile(model: ModelCard, result: Result, watch: Watch): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}
