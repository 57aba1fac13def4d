import type { Artifact, Look, Rendered, RenderingJob } from '@whylight/contract';
import { type Drawn, outputPrefix, type Run } from './flight.ts';

/** Pictures of a run in another look than its own. */
export interface Drawing extends Rendered {
  readonly key: string;
  /** Unix milliseconds. */
  readonly drawnAt: number;
  /** Whether an explanation rests on it; others make room for new ones. */
  readonly pinned: boolean;
}

/** Drawings of one run that no explanation rests on, at most. */
export const mostUnpinned = 32;
/** And of those that explanations rest on: they are kept as long as the result. */
export const mostPinned = 256;

/** Where the pictures of a drawing go. */
export const drawingPrefix = (run: Run, key: string): string => `${outputPrefix(run)}${key}/`;

export const renderingJobOf = (
  run: Run,
  key: string,
  look: Look,
  input: RenderingJob['input'] | null,
): RenderingJob => ({
  image: run.submission.question.image,
  input: input ?? run.submission.input,
  attribution: run.artifacts.find(({ name }) => name === 'attribution.npy')!,
  result: run.result!,
  look,
  output_prefix: drawingPrefix(run, key),
  request_id: run.submission.requestId,
});

/** The pictures that a finished run has anyway. */
export const ownDrawing = (run: Run): Drawn => ({
  known: true,
  drawing: {
    key: '',
    artifacts: run.artifacts.filter(({ content_type }) => content_type === 'image/png'),
    warnings: (run.result?.warnings ?? []).filter(isOfDrawing),
    drawnAt: run.completedAt ?? 0,
    pinned: true,
  },
});

/** The run as one sees it who wants that drawing. */
export function drawnAs(run: Run, { artifacts, warnings }: Drawing): Run {
  const pictures = (artifact: Artifact) => artifacts.find(({ name }) => name === artifact.name) ?? artifact;
  return {
    ...run,
    artifacts: run.artifacts.map(pictures),
    result: run.result && {
      ...run.result,
      warnings: [...run.result.warnings.filter((warning) => !isOfDrawing(warning)), ...warnings],
    },
  };
}

/** What the worker says of its own pictures, as opposed to the attribution. */
const isOfDrawing = (warning: string): boolean => /^(label_in_english|font_incomplete)\b/.test(warning);
