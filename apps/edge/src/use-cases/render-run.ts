import type { Job, Style } from '@whylight/contract';
import { Refusal } from '../domain/refusal.ts';
import { type FoundRendering, ownRendering } from '../domain/rendering.ts';
import type { Run } from '../domain/run.ts';
import { isOwnStyle } from '../domain/waiters.ts';
import type { Services } from '../services.ts';
import { findReady } from './arrivals.ts';
import { toJobInput } from './find-photo.ts';

/**
 * Renders a finished run in another style, without computing it again. `pinned`: an explanation depends on the rendering.
 *
 * @throws Refusal `artifact_expired`, `upload_not_ready` where the photo is gone, `capacity`, `storage_unavailable`.
 */
export async function renderRun(
  services: Services,
  run: Run,
  style: Style,
  pinned: boolean,
): Promise<FoundRendering> {
  const { key, tenant, question } = run.submission;
  const render = (input: Job['input'] | null) =>
    services.computation(key).render(run.number, style, input, pinned);
  let answer = isOwnStyle(run, style) ? ownRendering(run) : await render(null);
  if ('code' in answer && (answer.code === 'upload_not_found' || answer.code === 'upload_mismatch')) {
    const other = await findReady(services, tenant, question.image);
    if (!other)
      throw new Refusal(
        'upload_not_ready',
        'The photo has been deleted. To render the explanation in another style, upload the photo again.',
      );
    answer = await render(toJobInput(other));
  }
  if (!('code' in answer)) return answer;
  if (answer.code === 'artifact_corrupt') throw new Refusal('artifact_expired', answer.message);
  if (answer.code === 'invalid_parameter')
    throw new Refusal(answer.code, answer.message, [
      { pointer: '/output/visualization', code: answer.code, message: answer.message },
    ]);
  const code = answer.code === 'storage_unavailable' ? answer.code : 'capacity';
  throw new Refusal(code, 'No worker could render the pictures. Try again in a moment.');
}
