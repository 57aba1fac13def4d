import type { RegionSpec } from '@whylight/core/image';
import type { ResolvedQuestion } from '@whylight/core/methods';
import type { Style } from '../rendering/style.ts';
import type { Fit } from './fit.ts';
import type { Result } from './result.ts';

export interface PhotoRequest {
  /** An image file: JPEG, PNG or WebP, and what else the explainer was told to take. */
  readonly photo: Uint8Array;
  /** Name, digest or path of a model. */
  readonly model: string;
  /** Where it names no layer, the manifest's is looked at, else the last feature map. */
  readonly question: ResolvedQuestion;
  readonly style?: Style | undefined;
  /** Another way to the network's size than the manifest's. */
  readonly fit?: Fit | undefined;
  /** Lay the map over the whole photo, though the network saw a crop, as torchcam's notebooks do. */
  readonly stretched?: boolean | undefined;
  /** An image as large as the photo: pixels of one colour are one feature, for methods that hide features. */
  readonly featureMask?: Uint8Array | undefined;
  /** Of a model whose score is taken over a region: which one, in the photo's pixels; `predicted` if not said. */
  readonly region?: RegionSpec | undefined;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((completed: number, total: number) => void) | undefined;
  /** For whom the work is done: where many want the device, each owner gets its turn. */
  readonly owner?: string | undefined;
}

export type ArtifactName = 'overlay.png' | 'heatmap.png' | 'attribution.npy' | 'result.json';

export interface Artifact {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

export interface PhotoExplanation {
  readonly result: Result;
  readonly artifacts: ReadonlyMap<ArtifactName, Artifact>;
  /** Photos that were explained in one run of the graph. */
  readonly batchSize: number;
}
