import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call as it was received, for forwarding. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer<ArrayBuffer>;
}

/** The answer to a call; null: the connection breaks. */
export type Answer = Response | null;

export interface Front {
  readonly url: string;
  close(): Promise<void>;
}

/** An HTTP server on a free port of this machine that answers each call by `answer`. */
export async function listen(answer: (call: Call) => Promise<Answer>): Promise<Front> {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray());
    const { method = '', url: path = '' } = request;
    const headers = request.headers as Record<string, string>;
    const given = await answer({ method, path, headers, body }).catch(() => null);
    if (!given) return void request.socket.destroy();
    const { 'content-length': _, 'content-encoding': __, ...kept } = Object.fromEntries(given.headers);
    response.writeHead(given.status, kept).end(Buffer.from(await given.arrayBuffer()));
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Passes a call on as it is, its signature included. */
export function forward({ method, path, headers, body }: Call, target: string): Promise<Response> {
  const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...kept } = headers;
  return fetch(target + path, {
    method,
    headers: kept,
    redirect: 'manual',
    ...(body.length > 0 ? { body } : {}),
  });
}
