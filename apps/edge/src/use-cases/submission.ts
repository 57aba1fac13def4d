import type { Explanation, ExplanationAsked, JobError, Style } from '@whylight/contract';
import { presentExplanation } from '../domain/explanation.ts';
import { LimitRefusal, notFound, Refusal } from '../domain/refusal.ts';
import type { FoundRendering } from '../domain/rendering.ts';
import { type Admission, isTerminal, type Run, type Submission, type WaitRequest } from '../domain/run.ts';
import { isId } from '../domain/ulid.ts';
import { viewRun } from '../domain/waiters.ts';
import type { Services } from '../services.ts';
import type { ExplanationRow } from '../storage/explanations.ts';
import type { UploadRow } from '../storage/uploads.ts';
import { findReady, findUpload, inputOf, statusOf } from './arrivals.ts';

export interface Input {
  /** Null if the request names the input by its hash: then any upload of these bytes serves. */
  readonly upload: string | null;
  readonly sha256: string;
}

/** The photo that a request names; it may not have arrived, or may just have been deleted. @throws Refusal `resource_not_found`. */
export async function findInput(
  services: Services,
  tenant: string,
  input: ExplanationAsked['input'],
): Promise<Input> {
  if ('sha256' in input) {
    const [known] = await services.uploads.listByHash(tenant, input.sha256);
    if (!known) throw notFound();
    return { upload: null, sha256: input.sha256 };
  }
  const sha256 = isId('upl', input.upload) ? await services.uploads.findHash(tenant, input.upload) : null;
  if (sha256 === null) throw notFound();
  return { upload: input.upload, sha256 };
}

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
    findArrived(services, wanted, upload),
    services.backlog.count(),
  ]);
  const input = inputOf(photo);
  if (waiting >= services.settings.BACKLOG_LIMIT)
    throw new Refusal('capacity', 'Too many computations are waiting. Try again in a moment.');
  const admitted = await computation.admit({ ...wanted, input }, fresh, request).catch((error: unknown) => {
    console.error(`${wanted.requestId}: the computation did not start:`, error);
    throw new Refusal('capacity', 'The service could not queue the job. Try again in a moment.');
  });
  if ('policy' in admitted) throw new LimitRefusal(admitted);
  return unlessFailed(admitted);
}

async function findArrived(
  services: Services,
  { tenant, question }: Omit<Submission, 'input'>,
  id: string | null,
): Promise<UploadRow> {
  const upload = id === null ? null : await findUpload(services, tenant, id);
  const status = upload ? await statusOf(services.objects, upload) : null;
  if (upload && status === 'ready') return upload;
  if (status === 'rejected')
    throw new Refusal(
      'upload_mismatch',
      'The uploaded bytes differ from the announced ones in size or type.',
    );
  const other = await findReady(services, tenant, question.image);
  if (!other)
    throw new Refusal(
      'upload_not_ready',
      'The bytes of this upload have not arrived. PUT them to its URL, then send the request again.',
    );
  return other;
}

/**
 * Renders a finished run in another style, without computing it again.
 *
 * @throws Refusal `artifact_expired`, `upload_not_ready` where the photo is gone, `capacity`, `storage_unavailable`.
 */
export const renderRun = async (
  services: Services,
  { submission: { key }, number }: Run,
  style: Style,
): Promise<FoundRendering> => unlessFailed(await services.computation(key).render(number, style));

/** @throws Refusal for the error of a rendering */
function unlessFailed<T extends object>(answer: T | JobError): T {
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

/** The run that answers `row`, after waiting up to `seconds` for its end; `now` is the run in the state just read. */
export async function runOf(
  services: Services,
  row: ExplanationRow,
  seconds: number,
  now?: Run,
): Promise<Run> {
  const view = now?.number === row.run ? viewRun(now, row.id) : null;
  if (view && (seconds === 0 || isTerminal(view))) return view;
  const run = await services.computation(row.key).watch(row.run, row.id, row.style, seconds);
  if (run) return viewRun(run, row.id);
  throw new Refusal('capacity', 'The service could not queue the job. Try again in a moment.');
}

/** The explanation in its present state, as the API shows it. */
export const present = (row: ExplanationRow, run: Run): Explanation =>
  presentExplanation({ ...row, style: row.style ?? run.submission.style }, run, Date.now());

/** @throws Refusal `resource_not_found`, also if the explanation is another tenant's */
export async function findExplanation(
  { explanations }: Services,
  tenant: string,
  id: string,
): Promise<ExplanationRow> {
  const row = isId('exp', id) ? await explanations.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}
