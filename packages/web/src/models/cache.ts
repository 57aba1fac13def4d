/** Models that stay in the browser, by the SHA-256 of the model: each file of one is an entry. */
const cacheName = 'whylight-models';

/** No server has this address: it is a name in the cache alone. */
const folderOf = (sha256: string): string => `https://models.invalid/${sha256}/`;

/** The files of a model, or undefined where it is not kept. */
export async function keptFiles(sha256: string): Promise<File[] | undefined> {
  // Absent on a page that the browser does not trust.
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

/** Keeps the files of a model. A browser without room for them keeps none: they are fetched again the next time. */
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
