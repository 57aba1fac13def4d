import { LimitRefusal, Refusal } from '../domain/refusal.ts';
import { withRendering } from '../domain/rendering.ts';
import type { Admission, Run, Submission, WaitRequest } from '../domain/run.ts';
import type { Services } from '../services.ts';
import { findArrived, toJobInput } from './find-photo.ts';
import { renderRun } from './render-run.ts';

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
  const admission = await findOrStartRun(services, wanted, upload, fresh, request);
  if (admission.via !== 'hit' || !hasPictures(admission.run)) return admission;
  const { rendering } = await renderRun(services, admission.run, request.style, true);
  return { ...admission, run: withRendering(admission.run, rendering) };
}

async function findOrStartRun(
  services: Services,
  wanted: Omit<Submission, 'input'>,
  upload: string | null,
  fresh: boolean,
  request: WaitRequest,
): Promise<Admission> {
  const computation = services.computation(wanted.key);
  const known = fresh ? null : await computation.findResult(request.keepUntil);
  if (known) return { run: known, via: 'hit' };
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
  return admitted;
}

const hasPictures = ({ result }: Run): boolean => Boolean(result?.attribution);
