import type { GraphFile } from '../graph-file.ts';
import type { ScoreSpec } from '../model/score-spec.ts';
import type { ReadLimits } from '../onnx/limits.ts';
import type { Label } from './labels.ts';
import type { FoundManifest, Manifest } from './manifest.ts';
import type { Found } from './sources/beside.ts';
import type { Source } from './sources/put-together.ts';

/** What is said of a model by its manifest, by files beside it and by its own metadata. */
export interface Description {
  readonly manifest: Manifest;
  /** Class names; their number need not be right (see `namesFor`). */
  readonly labels: readonly Label[] | null;
  /** Who gave the names. */
  readonly labelsFrom: string | null;
  /** What is said of its preprocessing, by rank; the network itself says more (see `prepare`). */
  readonly sources: readonly Source[];
  /** What files beside it say and nobody here understands. */
  readonly notes: readonly string[];
}

/** A model and what is said of it, before its network is read. */
export interface DescribedModel extends Description {
  readonly name: string;
  /** The number to explain in place of the score of a class. Omitted: the score of a class. */
  readonly score?: ScoreSpec | undefined;
  /** Whether photos may have another size than the file states. */
  readonly anySize?: boolean | undefined;
  /** What its file may be at most; the engine's own limits if not said. */
  readonly limits?: Partial<ReadLimits> | undefined;
  /** Reads the model, with what it keeps in files beside it. @throws InputError */
  file(): Promise<GraphFile>;
}

/** The manifest counts before all else. */
export function describe({ manifest: given, labels }: FoundManifest, found: Found): Description {
  const { preprocessing, task = found.task } = given;
  const own: Source[] = preprocessing ? [{ from: 'manifest', parts: preprocessing }] : [];
  const named = labels ? { value: labels, from: 'manifest' } : found.labels;
  return {
    manifest: task === undefined ? given : { ...given, task },
    labels: named?.value ?? null,
    labelsFrom: named?.from ?? null,
    sources: [...own, ...found.sources],
    notes: found.notes,
  };
}
