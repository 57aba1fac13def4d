import type { ExplanationAsked } from '@whylight/contract';
import { findReady, findUpload, statusOf } from './arrivals.ts';
import { type Boarding, isTerminal, type Pass, type Run, type Submission } from './domain/flight.ts';
import { LimitRefusal, notFound, Refusal } from './domain/refusal.ts';
import { seenBy } from './domain/riders.ts';
import { isId } from './domain/ulid.ts';
import type { Services } from './services.ts';
import type { ExplanationRow } from './storage/explanations.ts';
import type { UploadRow } from './storage/uploads.ts';

export interface Input {
  /** Null when the input was named by its hash: then any upload of these bytes will do. */
  readonly row: UploadRow | null;
  readonly sha256: string;
}

/** The photo that a request means, arrived or not. @throws Refusal `resource_not_found`. */
export async function findInput(
  services: Services,
  tenant: string,
  input: ExplanationAsked['input'],
): Promise<Input> {
  if ('sha256' in input) {
    const [known] = await services.uploads.ofContent(tenant, input.sha256);
    if (!known) throw notFound();
    return { row: null, sha256: input.sha256 };
  }
  const row = await findUpload(services, tenant, input.upload);
  return { row, sha256: row.sha256 };
}

/**
 * Gets a request onto the flight of its key: the finished one, the one under way, or a new one, for which the
 * photo must have arrived.
 */
export async function board(
  services: Services,
  wanted: Omit<Submission, 'input'>,
  upload: UploadRow | null,
  fresh: boolean,
  pass: Pass,
): Promise<Boarding> {
  const flight = services.flight(wanted.key);
  const known = fresh ? null : await flight.known();
  if (known) return { run: known, via: 'hit' };
  const row = await arrived(services, wanted, upload);
  const input = { object: row.object, content_type: row.content_type, bytes: row.content_length };
  if ((await services.backlog.count()) >= services.settings.BACKLOG_LIMIT)
    throw new Refusal('capacity', 'Too much is waiting to be computed. Try again in a moment.');
  const boarded = await flight.submit({ ...wanted, input }, fresh, pass).catch((error: unknown) => {
    console.error(`${wanted.requestId}: the flight did not start:`, error);
    throw new Refusal('capacity', 'The job could not be queued. Try again in a moment.');
  });
  if ('policy' in boarded) throw new LimitRefusal(boarded);
  return boarded;
}

async function arrived(
  services: Services,
  { tenant, question }: Omit<Submission, 'input'>,
  upload: UploadRow | null,
): Promise<UploadRow> {
  const status = upload ? await statusOf(services.objects, upload) : null;
  if (upload && status === 'ready') return upload;
  if (status === 'rejected')
    throw new Refusal(
      'upload_mismatch',
      'What was uploaded differs in size or type from what was announced.',
    );
  const other = await findReady(services, tenant, question.image);
  if (!other) throw new Refusal('upload_not_ready', 'The bytes of this upload have not arrived.');
  return other;
}

/** The run that answers `row`, waited for up to `seconds`; `now` is the run as it stood a moment ago. */
export async function runOf(
  services: Services,
  row: ExplanationRow,
  seconds: number,
  now?: Run,
): Promise<Run> {
  if (now?.number === row.run && (seconds === 0 || isTerminal(now))) return seenBy(now, row.id);
  const run = await services.flight(row.key).watch(row.run, row.id, seconds);
  if (run) return seenBy(run, row.id);
  throw new Refusal('capacity', 'The job could not be queued. Try again in a moment.');
}

/** @throws Refusal `resource_not_found`, also for what is another tenant's. */
export async function findExplanation(
  { explanations }: Services,
  tenant: string,
  id: string,
): Promise<ExplanationRow> {
  const row = isId('exp', id) ? await explanations.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}
