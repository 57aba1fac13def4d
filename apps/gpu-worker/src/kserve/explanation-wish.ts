import {
  explanationRequestSchema,
  type ScoreName,
  type Style,
  type TargetRequest,
  type TargetSpec,
} from '@whylight/contract';
import { checkMembers, described, type Members, parsed } from '@whylight/contract/kserve';
import { type ResolvedQuestion, resolveQuestion } from '@whylight/core/methods';
import { z } from 'zod';
import { Refusal } from './refusal.ts';

/** A requested explanation, and its style. */
export interface ExplanationWish {
  readonly question: ResolvedQuestion;
  readonly style: Style;
  /** Whether the answer has the picture too. */
  readonly overlay: boolean;
}

const { method, target, ...members } = explanationRequestSchema.shape;
/** The members of the API's own request, with the method that the gateway's KServe route takes by default. */
const wishSchema = z.strictObject({
  target,
  parameters: members.parameters,
  convention: members.convention,
  layers: members.layers,
  language: members.language,
  output: members.output,
  method: method.default('integrated-gradients'),
  overlay: z.boolean().default(false),
});

export const wishMembers: readonly string[] = Object.keys(wishSchema.shape);

/** Reads the parameters of a request to explain. @throws Refusal, KServeFault, InputError */
export function wishOf(given: Members, where: string): ExplanationWish {
  checkMembers(given, wishMembers, where);
  const isTarget = target.safeParse(given.target);
  if (!isTarget.success)
    throw new Refusal(
      400,
      `${where}.target: expected "predicted", {"class_index": 281}, {"label": "tabby"}, {"terms": [{"class_index": 281}]} or {"type": "class", "index": 281, "score": "logit"}; got ${described(given.target)}`,
    );
  const asked = parsed(wishSchema, given, where);
  const { output, language, overlay } = asked;
  return {
    question: resolveQuestion({ ...asked, ...splitTarget(asked.target) }),
    style: { visualization: output.visualization, language },
    overlay,
  };
}

/** Gives the target as questions have it, and the score to explain, if the target names one. */
function splitTarget(asked: TargetRequest): { target: TargetSpec; score?: ScoreName | undefined } {
  if (typeof asked === 'string' || !('type' in asked)) return { target: asked };
  const { index = 'predicted', label, terms, score } = asked;
  if (terms) return { target: { terms }, score };
  if (label !== undefined) return { target: { label }, score };
  return { target: index === 'predicted' ? index : { class_index: index }, score };
}
