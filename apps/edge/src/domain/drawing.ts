import type { Artifact, Look, Rendered, RenderingJob, Warning } from '@whylight/contract';
import { outputPrefix, type Run } from './run.ts';

/** Pictures of a run in another look than its own. */
export interface Drawing extends Rendered {
  readonly key: string;
  /** Unix milliseconds. */
  readonly drawnAt: number;
  /** Whether an explanation rests on it; others make room for new ones. */
  readonly pinned: boolean;
}

/** A drawing, and whether it had been drawn before. */
export interface Drawn {
  readonly drawing: Drawing;
  readonly known: boolean;
}

/** Drawings of one run that no explanation rests on, at most. */
export const mostUnpinned = 32;
/** And of those that explanations rest on: they are kept as long as the result. */
export const mostPinned = 256;

/** The prefix of the names of a drawing's pictures. The gateway adds a nonce for each call of a worker. */
export const drawingPrefix = (run: Run, key: string): string => `${outputPrefix(run)}${key}/`;

/** Where the pictures of a drawing are. Those of an earlier release have no nonce in their names. */
export function placeOf({ artifacts: [picture] }: Rendered): string | null {
  return picture ? picture.object.slice(0, -picture.name.length) : null;
}

/** Whether all pictures are where they were to be written. */
export const isAt = ({ artifacts }: Rendered, prefix: string): boolean =>
  artifacts.every(({ object, name }) => object === prefix + name);

export const renderingJobOf = (
  run: Run,
  prefix: string,
  look: Look,
  input: RenderingJob['input'] | null,
): RenderingJob => ({
  image: run.submission.question.image,
  input: input ?? run.submission.input,
  attribution: run.artifacts.find(({ name }) => name === 'attribution.npy')!,
  result: run.result!,
  look,
  output_prefix: prefix,
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
const isOfDrawing = ({ code }: Warning): boolean => code === 'label_in_english' || code === 'font_incomplete';
