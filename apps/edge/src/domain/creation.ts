import { type ExplanationAsked, type Style, styleOf as styleOfPictures } from '@whylight/contract';
import { attributionKindOf } from '@whylight/core/methods';

/** A request for an explanation. */
export interface Creation {
  /** Id of the explanation; the caller chooses it, so that a repeated request creates the same explanation. */
  readonly id: string;
  readonly tenant: string;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly asked: ExplanationAsked;
  /** Whether to compute a known result again. */
  readonly fresh: boolean;
  /** When the request came (unix milliseconds). */
  readonly requestedAt: number;
  /** Milliseconds after which to cancel the explanation; null: never. */
  readonly cancelAfter: number | null;
}

/** How long the result is kept, and when the wait for it ends (unix milliseconds). */
export const timesOf = ({ asked, requestedAt, cancelAfter }: Creation) => ({
  keepUntil: requestedAt + asked.retention_seconds * 1000,
  until: cancelAfter === null ? null : requestedAt + cancelAfter,
});

export const styleOf = ({ method, output, language }: ExplanationAsked): Style =>
  styleOfPictures(output.visualization, language, attributionKindOf(method).isPixels);
