import type { Catalog } from '@whylight/contract';
import { Refusal } from '../domain/refusal.ts';
import type { Services } from '../services.ts';

/** Milliseconds between two looks for a catalog. */
const pause = 1_000;

/**
 * Waits up to `seconds` for the first worker, which tells what it can explain. Meanwhile `key` counts in the backlog, so that a
 * scaler at zero starts a worker. It goes on counting after a refusal, because the caller is told to try again.
 *
 * @throws Refusal `capacity`
 */
export async function awaitCatalog(
  { catalogs, backlog }: Services,
  key: string,
  seconds: number,
): Promise<Catalog> {
  const end = Date.now() + seconds * 1000;
  const known = await catalogs.find();
  if (known) return known;
  await backlog.enter('catalog', key);
  for (;;) {
    const left = end - Date.now();
    if (left <= 0) throw new Refusal('capacity', 'No worker is up yet. Try again in a moment.');
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
    const catalog = await catalogs.find();
    if (!catalog) continue;
    await backlog.leave('catalog', key);
    return catalog;
  }
}
