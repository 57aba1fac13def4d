import type { Artifact, JobError, Rendered, RenderingJob, Style, Warning } from '@whylight/contract';
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

/** The error instead of pictures, and whether a worker may have begun: then some may be in the store now or later. */
export interface NotRendered {
  readonly error: JobError;
  readonly begun: boolean;
}

/** A rendering for which explanations wait, until a worker has rendered it or has refused it too often. */
export interface AskedRendering {
  readonly run: number;
  readonly key: string;
  readonly style: Style;
  readonly tries: number;
  /** Number of tries that failed because of the rendering itself. */
  readonly refusals: number;
  /** When to try next (unix milliseconds). While a worker is asked: when to try if the gateway forgets that it has asked. */
  readonly due: number;
}

/** Refusals after which a rendering fails. */
export const mostRefusals = 8;
/** Milliseconds before the second try; doubled after each, up to the longest. */
export const pause = 1_000;
const longestPause = 30_000;

/** Faults of workers and of services that they need: they say nothing about the rendering. */
const passing: ReadonlySet<JobError['code']> = new Set([
  'worker_unreachable',
  'worker_crashed',
  'deadline_exceeded',
  'storage_unavailable',
]);

/** Errors that last: the photo or the attribution is not what was explained, or there are too many styles. */
const lasting: ReadonlySet<JobError['code']> = new Set([
  'upload_not_found',
  'upload_mismatch',
  'artifact_corrupt',
  'invalid_parameter',
]);

/** Whether a rendering fails at once, however many tries it has left. */
export const isLasting = ({ code }: JobError): boolean => lasting.has(code);

/** When to try a rendering again after a try that failed; or the error with which it fails. */
export function afterFailure(asked: AskedRendering, error: JobError, now: number): AskedRendering | JobError {
  const tries = asked.tries + 1;
  const refusals = asked.refusals + Number(!passing.has(error.code));
  if (isLasting(error) || refusals >= mostRefusals) return error;
  return { ...asked, tries, refusals, due: now + Math.min(pause * 2 ** asked.tries, longestPause) };
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
