import type { ScoreKind } from '@whylight/core';
import type { Convention } from '@whylight/core/methods';
import type { TargetSpec } from '../classification/predictions.ts';
import type { Visualization } from '../drawing/visualization.ts';
import type { Fit } from './fit.ts';
import type { Result } from './result.ts';

export interface PhotoRequest {
  /** An image file: JPEG, PNG or WebP, and what else the explainer was told to take. */
  readonly photo: Uint8Array;
  /** Name, digest or path of a model. */
  readonly model: string;
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** The kind of score that is explained; the method's own if not said. */
  readonly score?: ScoreKind | undefined;
  /** Default: the manifest's layer, else the last feature map. */
  readonly layers?: readonly string[] | undefined;
  readonly target: TargetSpec;
  readonly language?: 'en' | 'zh' | undefined;
  readonly visualization?: Visualization | undefined;
  /** Another way to the network's size than the manifest's. */
  readonly fit?: Fit | undefined;
  /** Lay the map over the whole photo, though the network saw a crop, as torchcam's notebooks do. */
  readonly stretched?: boolean | undefined;
  /** An image as large as the photo: pixels of one colour are one feature, for methods that hide features. */
  readonly featureMask?: Uint8Array | undefined;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((completed: number, total: number) => void) | undefined;
  /** On whose behalf: where many want the device, each share has its turn. */
  readonly share?: string | undefined;
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
