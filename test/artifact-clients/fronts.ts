import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that has come to the store. */
export interface Seen {
  /** Whether any of its headers holds the API key. */
  readonly key: boolean;
  /** The status of the store's answer; 0 before it has answered. */
  status: number;
}

/** Where the local store is on its origin. */
const s3Path = '/cdn-cgi/local/r2/s3/';

export interface Fronts extends AsyncDisposable {
  /** The API, whose redirects lead to the front before the store. */
  readonly url: string;
  readonly seen: readonly Seen[];
}

/** A service as `whylight serve --json` prints it; the releases before `store_url` had the store on the gateway's origin. */
interface Place {
  readonly url: string;
  readonly store_url?: string;
  readonly api_key: string;
}

/**
 * Puts a server before the gateway of a service and one before its store, which records what comes. What a client sees is what it
 * sees of the service itself, with another port: the store gets its own name as `Host`, so signatures hold. With null as `storeHost`,
 * both are one server.
 */
export async function startFronts(
  { url, store_url = url, api_key }: Place,
  storeHost: string | null = '127.0.0.1',
): Promise<Fronts> {
  const seen: Seen[] = [];
  const toStore: Handle = (incoming, response) => {
    const request: Seen = { key: Object.values(incoming.headers).join().includes(api_key), status: 0 };
    seen.push(request);
    forward(store_url, incoming, response, (answer) => {
      request.status = answer.statusCode!;
      return answer.headers.location;
    });
  };
  const api = await listen('127.0.0.1', (incoming, response) =>
    storeHost === null && incoming.url?.startsWith(s3Path)
      ? toStore(incoming, response)
      : forward(url, incoming, response, ({ headers }) => headers.location?.replace(store_url, store.url)),
  );
  const store = storeHost === null ? api : await listen(storeHost, toStore);
  return {
    url: api.url,
    seen,
    async [Symbol.asyncDispose]() {
      for (const { server } of new Set([api, store])) {
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
  locationOf: (answer: IncomingMessage) => string | undefined,
): void {
  const { host, hostname, port } = new URL(to);
  const { method, url: path, headers } = incoming;
  const sent = request({ hostname, port, method, path, headers: { ...headers, host } }, (answer) => {
    const { location: _, ...rest } = answer.headers;
    const location = locationOf(answer);
    response.writeHead(answer.statusCode!, { ...rest, ...(location === undefined ? {} : { location }) });
    answer.pipe(response);
  });
  sent.once('error', () => response.destroy());
  incoming.pipe(sent);
}
