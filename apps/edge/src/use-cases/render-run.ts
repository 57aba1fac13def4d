import type { JobError, Style } from '@whylight/contract';
import { Refusal } from '../domain/refusal.ts';
import type { FoundRendering } from '../domain/rendering.ts';
import type { Run } from '../domain/run.ts';
import type { Services } from '../services.ts';

/**
 * Renders a finished run in another style, without computing it again.
 *
 * @throws Refusal `artifact_expired`, `upload_not_ready` if the photo is gone, `capacity`, `storage_unavailable`.
 */
export const renderRun = async (
  services: Services,
  { submission: { key }, number }: Run,
  style: Style,
): Promise<FoundRendering> => unlessFailed(await services.computation(key).render(number, style));

/** @throws Refusal for the error of a rendering */
export function unlessFailed<T extends object>(answer: T | JobError): T {
  if (!('code' in answer)) return answer;
  if (answer.code === 'upload_not_found' || answer.code === 'upload_mismatch')
    throw new Refusal(
      'upload_not_ready',
      'The photo has been deleted. To render the explanation in another style, upload the photo again.',
    );
  if (answer.code === 'artifact_corrupt') throw new Refusal('artifact_expired', answer.message);
  if (answer.code === 'invalid_parameter')
    throw new Refusal(answer.code, answer.message, [
      { pointer: '/output/visualization', code: answer.code, message: answer.message },
    ]);
  const code = answer.code === 'storage_unavailable' ? answer.code : 'capacity';
  throw new Refusal(code, 'No worker could render the pictures. Try again in a moment.');
}
