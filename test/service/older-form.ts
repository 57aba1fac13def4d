import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deserialize, serialize } from 'node:v8';
import type { Question, Result } from '@whylight/contract';
import { renameStored, renameTables } from './older-names.ts';

interface Run {
  readonly submission: { readonly question: Question };
  readonly result: Result | null;
}

/** Preprocessing of a manifest as it was spelled before flags and members had the same names. */
export const olderPreprocessing = {
  layout: 'NCHW',
  channels: 'RGB',
  scale: 'x/255',
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
  resize_short_side: 128,
  resample: 'bilinear',
  center_crop: 128,
} as const;

/**
 * Gives what a gateway has stored in `state` the form that it had before version 2026-12-01 of the API: the result by
 * `method`, whose scores were probabilities and whose warnings were text, and the preprocessing of every tenant's model.
 * Everything in its Durable Objects and its database gets the names of earlier releases. The gateway must have ended
 * before.
 */
export async function makeOlder(state: string, method: string): Promise<void> {
  const files = (await readdir(state, { recursive: true })).filter((file) => file.endsWith('.sqlite'));
  const counts = files.map((file) => rewritten(join(state, file), method));
  const changed = counts.reduce((sum, [runs, models]) => [sum[0] + runs, sum[1] + models], [0, 0]);
  const renamed = files.reduce((sum, file) => sum + withDatabase(join(state, file), olderNames), 0);
  if (renamed === 0) throw new Error(`found nothing to rename in ${state}`);
  if (changed[0] !== 1 || changed[1] !== 1)
    throw new Error(
      `expected one run by ${method} and one model in ${state}, found ${changed.join(' and ')}`,
    );
}

const rewritten = (file: string, method: string): [runs: number, models: number] =>
  withDatabase(file, (database, has) => [
    has('_cf_KV') ? olderRuns(database, method) : 0,
    has('models') ? olderModels(database) : 0,
  ]);

function olderNames(database: DatabaseSync, has: (table: string) => boolean): number {
  if (has('active_computations')) renameTables(database);
  return has('_cf_KV') ? renameStored(database) : 0;
}

function withDatabase<T>(
  file: string,
  use: (database: DatabaseSync, has: (table: string) => boolean) => T,
): T {
  const database = new DatabaseSync(file);
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return use(database, (table) => tables.some(({ name }) => name === table));
  } finally {
    database.close();
  }
}

/** Durable Objects keep values as V8 writes them. */
function olderRuns(database: DatabaseSync, method: string): number {
  const rows = database.prepare("SELECT key, value FROM _cf_KV WHERE key LIKE 'run/%'").all();
  const put = database.prepare('UPDATE _cf_KV SET value = ? WHERE key = ?');
  let changed = 0;
  for (const { key, value } of rows as { key: string; value: Uint8Array }[]) {
    const run = deserialize(value) as Run;
    if (run.submission.question.method !== method || !run.result) continue;
    const { score: _, ...question } = run.submission.question;
    const submission = { ...run.submission, question };
    put.run(serialize({ ...run, submission, result: olderResult(run.result) }), key);
    changed++;
  }
  return changed;
}

function olderResult({ task: _, target, predictions, warnings, ...result }: Result): object {
  const older = ({ probability, ...prediction }: Result['target']) => ({ ...prediction, score: probability });
  return {
    ...result,
    target: older(target),
    predictions: predictions.map(older),
    warnings: [...warnings.map(({ code, message }) => `${code}: ${message}`), 'a note without a code'],
  };
}

function olderModels(database: DatabaseSync): number {
  const rows = database.prepare('SELECT id, manifest FROM models').all() as {
    id: string;
    manifest: string;
  }[];
  const put = database.prepare('UPDATE models SET manifest = ? WHERE id = ?');
  for (const { id, manifest } of rows)
    put.run(JSON.stringify({ ...JSON.parse(manifest), preprocessing: olderPreprocessing }), id);
  return rows.length;
}
