import type { Explanation } from '@whylight/contract';
import { presentExplanation } from '../domain/explanation.ts';
import type { ExplanationPort } from '../domain/ports.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isTerminal, type Run } from '../domain/run.ts';
import { isId } from '../domain/ulid.ts';
import { isResolved } from '../domain/unresolved.ts';
import { viewRun } from '../domain/waiters.ts';
import type { Services } from '../services.ts';
import type { ExplanationRow } from '../storage/explanations.ts';

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

/** An explanation as it is at one moment. */
export interface ReadExplanation {
  readonly row: ExplanationRow;
  /** The run that answers it, as the explanation sees it. */
  readonly run: Run;
}

/** The object that answers for an explanation. */
export const answererOf = (services: Services, { id, key, run }: ExplanationRow): ExplanationPort =>
  isResolved({ number: run }) ? services.computation(key) : services.unresolvedExplanation(id);

/**
 * Reads the run that answers `row`, and waits up to `seconds` for its end. `now` is a run that has just been read. If the
 * explanation got its computation meanwhile, the row is read again.
 */
export async function readExplanation(
  services: Services,
  row: ExplanationRow,
  seconds: number,
  now?: Run,
): Promise<ReadExplanation> {
  const view = now?.number === row.run ? viewRun(now, row.id) : null;
  if (view && (seconds === 0 || isTerminal(view))) return { row, run: view };
  const found = await answererOf(services, row).watch(row.run, row.id, row.style, seconds);
  if (!found) throw new Refusal('capacity', 'The service could not queue the job. Try again in a moment.');
  const run = viewRun(found, row.id);
  if (found.number === row.run) return { row, run };
  return { row: await findExplanation(services, row.tenant, row.id), run };
}

/** The explanation in its present state, as the API shows it. */
export const present = ({ row, run }: ReadExplanation): Explanation =>
  presentExplanation({ ...row, style: row.style ?? run.submission.style }, run, Date.now());
