import type { ModelManifest, Validation } from '@whylight/contract';
import type {
  Classification,
  ExecutionProvider,
  Failure,
  MethodVerdict,
  PhotoExplanation,
  PhotoRequest,
} from '@whylight/host';

// What the worker and the process that holds a tenant's model say to each other. The model's bytes come by stdin.

export interface Load {
  readonly op: 'load';
  readonly name: string;
  readonly sha256: string;
  readonly manifest: ModelManifest;
  /** As the worker's own runtime calls it. */
  readonly device: string;
  readonly ep: ExecutionProvider;
  readonly deviceId: number;
  readonly threads: number | undefined;
}

export type Ask =
  | Load
  | { readonly op: 'examine'; readonly budget: number }
  | { readonly op: 'explain'; readonly request: Omit<PhotoRequest, 'model'> }
  | { readonly op: 'classify'; readonly photo: Uint8Array; readonly count: number }
  | { readonly op: 'warm' };

/** To the process: what to do, or to stop doing it. */
export type Call = ({ readonly id: number } & Ask) | { readonly op: 'abort'; readonly id: number };

export interface Values {
  load: null;
  examine: Validation;
  explain: PhotoExplanation;
  classify: Classification;
  warm: null;
}

/** Of an examination that goes on. */
export type Found =
  | { readonly started: Validation }
  | { readonly running: string }
  | { readonly verdict: MethodVerdict };

/** From the process. */
export type Answer =
  | { readonly id: number; readonly found: Found }
  | { readonly id: number; readonly progress: readonly [completed: number, total: number] }
  | ({ readonly id: number; readonly runs: number; readonly rss: number } & (
      | { readonly value: Values[keyof Values] }
      | { readonly failure: Failure }
    ));
