import type { Explanation } from '@whylight/contract';
import { presentExplanation } from '../domain/explanation.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isTerminal, type Run } from '../domain/run.ts';
import { isId } from '../domain/ulid.ts';
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

/** Reads the run that answers `row`, and waits up to `seconds` for its end. `now` is a run that has just been read. */
export async function readRun(
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
