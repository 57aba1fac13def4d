/** The cache of models in the browser, by the SHA-256 of the model: each file of a model is an entry. */
const cacheName = 'whylight-models';

/** Returns an address that no server has: it is only a name in the cache. */
const folderOf = (sha256: string): string => `https://models.invalid/${sha256}/`;

/** Returns the files of a model, or undefined if the cache does not have the model. */
export async function keptFiles(sha256: string): Promise<File[] | undefined> {
  // `caches` is absent on a page that the browser does not trust.
  if (!globalThis.caches) return undefined;
  const cache = await caches.open(cacheName);
  const folder = folderOf(sha256);
  const keys = (await cache.keys()).filter(({ url }) => url.startsWith(folder));
  const files = await Promise.all(
    keys.map(async (key) => {
      const found = await cache.match(key);
      return found && new File([await found.blob()], decodeURIComponent(key.url.slice(folder.length)));
    }),
  );
  const whole = files.filter((file) => file !== undefined);
  // The model itself is written last.
  return whole.some(({ name }) => /\.onnx$/i.test(name)) ? whole : undefined;
}

/** Stores the files of a model. A browser without room for all stores no file: the next time they are fetched again. */
export async function keepFiles(sha256: string, files: readonly File[]): Promise<boolean> {
  if (!globalThis.caches) return false;
  const cache = await caches.open(cacheName);
  const isModel = ({ name }: File) => /\.onnx$/i.test(name);
  const modelLast = files.toSorted((a, b) => Number(isModel(a)) - Number(isModel(b)));
  try {
    for (const file of modelLast)
      await cache.put(folderOf(sha256) + encodeURIComponent(file.name), new Response(file));
    return true;
  } catch {
    await forgetFiles(sha256);
    return false;
  }
}

export async function forgetFiles(sha256: string): Promise<void> {
  if (!globalThis.caches) return;
  const cache = await caches.open(cacheName);
  for (const key of await cache.keys()) if (key.url.startsWith(folderOf(sha256))) await cache.delete(key);
}
