import type { Rendering } from '../../domain/rendering.ts';

/** Names that an earlier release stored, and their present names. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['shelf', 'retention'],
  ['sweeps', 'deletions'],
]);
/** Values that one call may write or delete. */
const mostAtOnce = 100;

/** A rendering as an earlier release stored it, or the place of the pictures that a worker has begun. */
type StoredRendering = (Omit<Rendering, 'renderedAt'> & { readonly drawnAt: number }) | string;

/** Moves values of an earlier release to their present names. Writes nothing if there is nothing to move. */
export async function moveStoredNames(storage: DurableObjectStorage): Promise<void> {
  const single = await storage.get([...renamed.keys()]);
  // Under `drawing/` and `drawing-begun/`.
  const renderings = await storage.list<StoredRendering>({ prefix: 'drawing' });
  const entries: [before: string, now: string, value: unknown][] = [
    ...Array.from(single, ([name, value]) => [name, renamed.get(name)!, value] as [string, string, unknown]),
    ...Array.from(renderings, ([name, value]): [string, string, unknown] => [
      name,
      name.replace(/^drawing/, 'rendering'),
      upgradeRendering(value),
    ]),
  ];
  for (let start = 0; start < entries.length; start += mostAtOnce) {
    const some = entries.slice(start, start + mostAtOnce);
    await storage.put(Object.fromEntries(some.map(([, now, value]) => [now, value])));
    await storage.delete(some.map(([before]) => before));
  }
}

function upgradeRendering(stored: StoredRendering): Rendering | string {
  if (typeof stored === 'string') return stored;
  const { drawnAt: renderedAt, ...rest } = stored;
  return { ...rest, renderedAt };
}
