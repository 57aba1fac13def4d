import type { Artifact, Rendered, RenderingJob, Style, Warning } from '@whylight/contract';
import { outputPrefix, type Run } from './run.ts';

/** Pictures of a run in another style than its own. */
export interface Rendering extends Rendered {
  readonly key: string;
  /** Unix milliseconds. */
  readonly renderedAt: number;
  /** Whether an explanation depends on it; other renderings are deleted to make room for new ones. */
  readonly pinned: boolean;
}

/** A rendering, and whether it existed before the request. */
export interface FoundRendering {
  readonly rendering: Rendering;
  readonly known: boolean;
}

/** Most renderings of one run on which no explanation depends. */
export const mostUnpinned = 32;
/** Most renderings of one run on which explanations depend: these are kept as long as the result. */
export const mostPinned = 256;

/** The prefix of the names of a rendering's pictures. The gateway adds a nonce for each call of a worker. */
export const renderingPrefix = (run: Run, key: string): string => `${outputPrefix(run)}${key}/`;

/** The prefix that a rendering's pictures have in the store. Those of an earlier release have no nonce in their names. */
export function storedPrefix({ artifacts: [picture] }: Rendered): string | null {
  return picture ? picture.object.slice(0, -picture.name.length) : null;
}

/** Whether the worker wrote all pictures below the prefix that its job named. */
export const isBelow = ({ artifacts }: Rendered, prefix: string): boolean =>
  artifacts.every(({ object, name }) => object === prefix + name);

export const renderingJobOf = (
  run: Run,
  prefix: string,
  style: Style,
  input: RenderingJob['input'] | null,
): RenderingJob => ({
  image: run.submission.question.image,
  input: input ?? run.submission.input,
  attribution: run.artifacts.find(({ name }) => name === 'attribution.npy')!,
  result: run.result!,
  style,
  output_prefix: prefix,
  request_id: run.submission.requestId,
});

/** The pictures that every finished run has: those in its own style. */
export const ownRendering = (run: Run): FoundRendering => ({
  known: true,
  rendering: {
    key: '',
    artifacts: run.artifacts.filter(({ content_type }) => content_type === 'image/png'),
    warnings: (run.result?.warnings ?? []).filter(isOfRendering),
    renderedAt: run.completedAt ?? 0,
    pinned: true,
  },
});

/** The run with the pictures and warnings of `rendering` in place of its own. */
export function withRendering(run: Run, { artifacts, warnings }: Rendering): Run {
  const replaced = (artifact: Artifact) => artifacts.find(({ name }) => name === artifact.name) ?? artifact;
  return {
    ...run,
    artifacts: run.artifacts.map(replaced),
    result: run.result && {
      ...run.result,
      warnings: [...run.result.warnings.filter((warning) => !isOfRendering(warning)), ...warnings],
    },
  };
}

/** Whether a warning is about the pictures, and not about the attribution. */
const isOfRendering = ({ code }: Warning): boolean =>
  code === 'label_in_english' || code === 'font_incomplete';
