import type { ArtifactName, ExplanationResult } from '@whylight/contract';
import type { LoopState } from '@whylight/core';
import type { RegionSpec } from '@whylight/core/image';
import type { ResolvedQuestion } from '@whylight/core/methods';
import type { Style } from '../rendering/style.ts';
import type { Fit } from './fit.ts';

export interface PhotoRequest {
  /** The bytes of a JPEG, PNG or WebP file, or of another type that the explainer's options allow. */
  readonly photo: Uint8Array;
  /** Name, digest or path of a model. */
  readonly model: string;
  /** If it names no layer, the method uses the layer in the manifest, else the last feature map. */
  readonly question: ResolvedQuestion;
  /** Omitted: the method's own, in English. */
  readonly style?: Style | undefined;
  /** How to resize the photo, in place of the way in the manifest. */
  readonly fit?: Fit | undefined;
  /** Stretch the map over the whole photo although the network got a crop, as torchcam's notebooks do. */
  readonly stretched?: boolean | undefined;
  /** An image as large as the photo: pixels of one colour are one feature, for methods that hide features. */
  readonly featureMask?: Uint8Array | undefined;
  /** The region of a model whose score is taken over one, in the photo's pixels. Default: `predicted`. */
  readonly region?: RegionSpec | undefined;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((completed: number, total: number) => void) | undefined;
  /** The owner of the work. If many owners need the device, each one gets its turn. */
  readonly owner?: string | undefined;
  /** Gets, of a method with samples, the state after each chunk of them, from which another run can go on. */
  readonly onState?: ((state: LoopState) => void) | undefined;
  /** A state of the same request. A run that cannot use it starts from the beginning. */
  readonly state?: LoopState | undefined;
}

export interface PhotoExplanation {
  readonly result: ExplanationResult;
  /** The bytes of each file; `artifactContentTypes` of the contract says what type they have. */
  readonly artifacts: ReadonlyMap<ArtifactName, Uint8Array>;
  /** How many photos the same run of the graph explained. */
  readonly batchSize: number;
}
