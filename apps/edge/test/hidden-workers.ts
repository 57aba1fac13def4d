import { afterEach, beforeEach, vi } from 'vitest';
import { Catalogs } from '../src/storage/catalogs.ts';
import { bindings } from './gateway.ts';

/**
 * Hides every worker from the tests of the file that calls this, as if none had ever said which models it has, except during
 * `withWorker`.
 */
export function hideWorkers() {
  const hide = () => vi.spyOn(Catalogs.prototype, 'find').mockResolvedValue(null);
  let hidden: ReturnType<typeof hide>;
  beforeEach(() => {
    hidden = hide();
  });
  afterEach(() => hidden.mockRestore());
  return {
    hidden: () => hidden,
    async withWorker<T>(work: () => Promise<T>): Promise<T> {
      hidden.mockRestore();
      return work().finally(() => {
        hidden = hide();
      });
    },
  };
}

/** Whether something waits for a worker, by its row in the backlog. */
export async function isWaiting(key: string, kind = 'catalog'): Promise<boolean> {
  const row = bindings.DB.prepare('SELECT 1 FROM waiting_work WHERE kind = ? AND key = ?').bind(kind, key);
  return (await row.first()) !== null;
}

/** Lists the keys of what waits for a first worker. Work of other files may come and go beside a test's own. */
export async function waitingForCatalog(): Promise<string[]> {
  const rows = bindings.DB.prepare("SELECT key FROM waiting_work WHERE kind = 'catalog'").all<{
    key: string;
  }>();
  return (await rows).results.map(({ key }) => key);
}
