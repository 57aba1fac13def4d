import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that has come to the store. */
export interface Seen {
  readonly path: string;
  readonly userAgent: string;
  /** Whether any of its headers holds the API key. */
  readonly key: boolean;
}

export interface Fronts extends AsyncDisposable {
  /** The API, whose redirects lead to the front before the store. */
  readonly url: string;
  /** The same address, in signed URLs, leads to the front before the store. */
  readonly storeUrl: string;
  readonly seen: readonly Seen[];
}

/**
 * Puts a server before the gateway of a service and one before its store, on an origin of its own, which records what comes. What a
 * client sees is what it sees of the service itself, with another port: the store gets its own name as `Host`, so signatures hold.
 */
export async function startFronts(
  { url, store_url, api_key }: { url: string; store_url: string; api_key: string },
  storeHost = '127.0.0.1',
): Promise<Fronts> {
  const seen: Seen[] = [];
  const store = await listen(storeHost, (incoming, response) => {
    const { url: path = '', headers } = incoming;
    const key = Object.values(headers).join().includes(api_key);
    seen.push({ path, userAgent: headers['user-agent'] ?? '', key });
    forward(store_url, incoming, response, (location) => location);
  });
  const api = await listen('127.0.0.1', (incoming, response) =>
    forward(url, incoming, response, (location) => location.replace(store_url, store.url)),
  );
  return {
    url: api.url,
    storeUrl: store.url,
    seen,
    async [Symbol.asyncDispose]() {
      for (const { server } of [api, store]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

type Handle = (incoming: IncomingMessage, response: ServerResponse) => void;

async function listen(host: string, handle: Handle): Promise<{ server: Server; url: string }> {
  const server = createServer(handle).listen(0, host);
  await once(server, 'listening');
  return { server, url: `http://${host}:${(server.address() as AddressInfo).port}` };
}

function forward(
  to: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  lead: (location: string) => string,
): void {
  const { host, hostname, port } = new URL(to);
  const { method, url: path, headers } = incoming;
  const sent = request({ hostname, port, method, path, headers: { ...headers, host } }, (answer) => {
    const { location, ...rest } = answer.headers;
    const led = location === undefined ? {} : { location: lead(location) };
    response.writeHead(answer.statusCode!, { ...rest, ...led });
    answer.pipe(response);
  });
  sent.once('error', () => response.destroy());
  incoming.pipe(sent);
}
