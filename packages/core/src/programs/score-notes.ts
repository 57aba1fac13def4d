import { between, dependents } from '../autodiff/path.ts';
import { InputError } from '../errors.ts';
import type { Network } from '../model/classifier.ts';
import { type ScoreSpec, scoreText } from '../model/score-spec.ts';
import { quoted } from '../onnx/names.ts';
import type { Warning } from '../warning.ts';

/**
 * What a user should know of a score that a network has.
 *
 * @throws InputError invalid_parameter when the image does not change it
 */
export function scoreNotes(
  { g, image, logits }: Pick<Network, 'g' | 'image' | 'logits'>,
  score: ScoreSpec | undefined,
): Warning[] {
  if (!score) return [];
  const what = `score ${quoted(scoreText(score))}`;
  if (!dependents(g, [image], [logits]).values.has(logits))
    throw new InputError(
      'invalid_parameter',
      `${what}: the value is the same for every image, so that there is nothing to explain; choose a value that is computed from the image`,
      ['score'],
    );
  if (between(g, [image], [logits]).moving.has(logits)) return [];
  return [
    {
      code: 'score_without_gradient',
      message: `${what}: the image changes the value through whole numbers or truth values only, so that its gradient is 0 everywhere; use a method that hides parts of the image, such as occlusion, or choose the value before they are made`,
    },
  ];
}
