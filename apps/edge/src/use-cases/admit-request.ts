import { LimitRefusal, Refusal } from '../domain/refusal.ts';
import type { Admission, Submission, WaitRequest } from '../domain/run.ts';
import type { Services } from '../services.ts';
import { toJobInput } from './arrivals.ts';
import { findArrived } from './find-photo.ts';
import { unlessFailed } from './render-run.ts';

/**
 * Finds the run that answers a request: the finished one, the one under way, or a new one, for which the photo must have
 * arrived.
 */
export async function admitRequest(
  services: Services,
  wanted: Omit<Submission, 'input'>,
  upload: string | null,
  fresh: boolean,
  request: WaitRequest,
): Promise<Admission> {
  const computation = services.computation(wanted.key);
  const known = fresh ? null : await computation.findResult(request);
  if (known) return unlessFailed(known);
  const [photo, waiting] = await Promise.all([
    findArrived(services, wanted.tenant, { upload, sha256: wanted.question.image }),
    services.backlog.count(),
  ]);
  const input = toJobInput(photo);
  if (waiting >= services.settings.BACKLOG_LIMIT)
    throw new Refusal('capacity', 'Too many computations are waiting. Try again in a moment.');
  const admitted = await computation.admit({ ...wanted, input }, fresh, request).catch((error: unknown) => {
    console.error(`${wanted.requestId}: the computation did not start:`, error);
    throw new Refusal('capacity', 'The service could not queue the job. Try again in a moment.');
  });
  if ('policy' in admitted) throw new LimitRefusal(admitted);
  return unlessFailed(admitted);
}
