import { currentWarnings } from '@whylight/contract';
import { mostUnpinned, type Rendering, renderingPrefix, storedPrefix } from '../../domain/rendering.ts';
import { outputPrefix, type Run } from '../../domain/run.ts';
import type { ArtifactDeletion } from './artifact-deletion.ts';

const under = (run: number, key = ''): string => `rendering/${run}/${key}`;
/** Key of an entry for the prefix of a worker's pictures until its answer arrives; some may exist without one. */
const begun = (run: number, prefix = ''): string => `rendering-begun/${run}/${prefix}`;

/** The renderings of a computation's runs that are done, and where the pictures of others may be. */
export class StoredRenderings {
  readonly #storage: DurableObjectStorage;
  readonly #deletion: ArtifactDeletion;

  constructor(storage: DurableObjectStorage, deletion: ArtifactDeletion) {
    this.#storage = storage;
    this.#deletion = deletion;
  }

  async find(run: number, key: string): Promise<Rendering | null> {
    const rendering = await this.#storage.get<Rendering>(under(run, key));
    return rendering ? { ...rendering, warnings: currentWarnings(rendering.warnings) } : null;
  }

  async countPinned(run: Run): Promise<number> {
    return (await this.#list(run)).filter(({ pinned }) => pinned).length;
  }

  /** Notes that a worker may write pictures under `prefix`. */
  async begin(run: Run, prefix: string): Promise<void> {
    await this.#storage.put(begun(run.number, prefix), prefix);
  }

  /** Notes that no worker writes there any more, or that the pictures there will be deleted. */
  async end(run: Run, prefix: string): Promise<void> {
    await this.#storage.delete(begun(run.number, prefix));
  }

  async put(run: Run, rendering: Rendering): Promise<void> {
    await this.#storage.put(under(run.number, rendering.key), rendering);
    if (!rendering.pinned) await this.#makeRoom(run);
  }

  /** Forgets all renderings of a run. @returns the prefixes where their pictures are, or may be */
  async forget(run: Run): Promise<string[]> {
    const open = await this.#storage.list<string>({ prefix: begun(run.number) });
    const known = await this.#storage.list<Rendering>({ prefix: under(run.number) });
    await Promise.all([...open.keys(), ...known.keys()].map((name) => this.#storage.delete(name)));
    // An earlier release stored the key of the rendering, whose pictures had no other place.
    const asked = [...open.values()].map((place) =>
      place.includes('/') ? place : renderingPrefix(run, place),
    );
    const written = [...known.values()].flatMap((rendering) => storedPrefix(rendering) ?? []);
    // Abandoned calls have deletions scheduled for when no worker can be writing any more; what is there now goes now.
    return [...new Set([...asked, ...written, ...this.#deletion.scheduledBelow(outputPrefix(run))])];
  }

  async #makeRoom(run: Run): Promise<void> {
    const loose = (await this.#list(run)).filter(({ pinned }) => !pinned);
    const old = loose.toSorted((a, b) => b.renderedAt - a.renderedAt).slice(mostUnpinned);
    await this.#storage.delete(old.map(({ key }) => under(run.number, key)));
    await this.#deletion.schedule(
      old.flatMap((rendering) => storedPrefix(rendering) ?? []),
      Date.now(),
    );
  }

  async #list(run: Run): Promise<Rendering[]> {
    return [...(await this.#storage.list<Rendering>({ prefix: under(run.number) })).values()];
  }
}
