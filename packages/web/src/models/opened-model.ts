import type { Task, Warning } from '@whylight/core';
import type { Label, PreprocessingReport } from '@whylight/core/preparation';

/**
 * The source of a model. `sha256` is the digest of the model as one file, with the weights in files beside it merged
 * in; if it is stated, the model of a URL stays in the browser's cache.
 */
export type ModelSource =
  /** Dropped or chosen files: the `.onnx` file, and with it weights, manifest, class names, preprocessing. */
  | {
      readonly files: readonly File[];
      readonly sha256?: string | undefined;
      /** Stores the model in the cache, so that its digest can open it later. */
      readonly keep?: boolean | undefined;
    }
  | {
      readonly url: string | URL;
      readonly sha256?: string | undefined;
      /** Addresses of the files that belong to the model. */
      readonly beside?: readonly (string | URL)[] | undefined;
    }
  /** A model in the cache. */
  | { readonly sha256: string };

/** A model that the worker has read. */
export interface OpenedModel {
  /** The model's number in the worker. */
  readonly id: number;
  readonly name: string;
  readonly sha256: string;
  readonly task: Task;
  readonly classes: number;
  /** Class names by class index; null if nobody has named the classes. */
  readonly labels: readonly Label[] | null;
  /** The preprocessing of images to its input, with the source of each part. */
  readonly preprocessing: PreprocessingReport;
  readonly warnings: readonly Warning[];
  /** Whether the model came from the cache. */
  readonly cached: boolean;
}
