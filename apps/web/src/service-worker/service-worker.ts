/** Keeps the page's files in the browser, so that it opens without a network after the first visit. */

/** The events that this file uses. The types of a page do not have those of a service worker. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(
    type: 'message',
    listener: (event: ExtendableEvent & { readonly data: unknown }) => void,
  ): void;
}

/** The build fills these in. */
declare const version: string;
declare const filesOfPage: readonly string[];
declare const filesOfEngine: readonly string[];

const scope = self as unknown as Scope;
const prefix = 'whylight-page-';
const name = prefix + version;
const kept = new Set(
  [...filesOfPage, ...filesOfEngine].map((file) => new URL(file, scope.registration.scope).href),
);

scope.addEventListener('install', (event) =>
  event.waitUntil(
    caches
      .open(name)
      .then((cache) => cache.addAll(filesOfPage.map(fresh)))
      .then(() => scope.skipWaiting()),
  ),
);

scope.addEventListener('activate', (event) =>
  event.waitUntil(forgetOlder().then(() => scope.clients.claim())),
);

/** The page says when its engine runs: then the browser has those files at hand, and they are kept too. */
scope.addEventListener('message', (event) => {
  if (event.data === 'keep the engine') event.waitUntil(keepEngine());
});

scope.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  // What is not the page's own, such as the calls of a service, goes to the network as if nobody were here.
  if (method !== 'GET' || !kept.has(url.replace(/[?#].*$/, ''))) return;
  event.respondWith(answerTo(event.request));
});

/** A kept file as it is, for everybody, whatever its server said it varies with; anything else from the network. */
async function answerTo(request: Request): Promise<Response> {
  const cache = await caches.open(name);
  return (await cache.match(request, { ignoreSearch: true, ignoreVary: true })) ?? fetch(request);
}

async function keepEngine(): Promise<void> {
  const cache = await caches.open(name);
  for (const file of filesOfEngine) if (!(await cache.match(file))) await cache.add(file);
}

async function forgetOlder(): Promise<void> {
  for (const key of await caches.keys()) if (key.startsWith(prefix) && key !== name) await caches.delete(key);
}

/** Past the browser's own cache, which may hold the file of an earlier release under the same name. */
const fresh = (file: string): Request => new Request(file, { cache: 'no-cache' });

export {};
