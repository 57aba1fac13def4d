import type { Task, Warning } from '@whylight/core';
import type { Label, PreprocessingReport } from '@whylight/core/preparation';

/**
 * Where a model comes from. `sha256` is of the model as one file, with what it keeps in files beside it merged in; the
 * model of a URL that states it stays in the browser's cache.
 */
export type ModelSource =
  /** What was dropped or chosen: the `.onnx` file, and beside it weights, manifest, class names, preprocessing. */
  | {
      readonly files: readonly File[];
      readonly sha256?: string | undefined;
      /** Keep it in the cache, to be opened by its digest later. */
      readonly keep?: boolean | undefined;
    }
  | {
      readonly url: string | URL;
      readonly sha256?: string | undefined;
      /** Addresses of the files that belong to it. */
      readonly beside?: readonly (string | URL)[] | undefined;
    }
  /** What the cache has. */
  | { readonly sha256: string };

/** A model that the worker has read. */
export interface OpenedModel {
  /** By which the worker knows it. */
  readonly id: number;
  readonly name: string;
  readonly sha256: string;
  readonly task: Task;
  readonly classes: number;
  /** By class index; null where nobody has named them. */
  readonly labels: readonly Label[] | null;
  /** How images become its input, and who said each part. */
  readonly preprocessing: PreprocessingReport;
  readonly warnings: readonly Warning[];
  /** Whether it came from the cache. */
  readonly cached: boolean;
}
