import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../failure.ts';

const boundary = 'frame';
const pageWith = (
  token: string,
) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Whylight</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style nonce="${token}">body{margin:0;background:#101418;color:#e8eaed;font:1rem system-ui,sans-serif;display:grid;place-items:center;height:100vh}img{max-width:100vw;max-height:100vh}</style>
<img src="/stream?token=${token}" alt="What the network looks at, live">
`;

/**
 * A page on this machine that shows pictures as they come, as motion JPEG. What a camera sees is for who started it: each
 * address holds a token, the Host header must name this machine, and no page of another origin may embed it.
 */
export class LivePage {
  readonly #token = randomBytes(16).toString('hex');
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #viewers = new Set<ServerResponse>();

  /** Opens on the loopback interface; port 0 is a free one. @throws Failure when the port is taken */
  async open(port: number): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening').catch(({ code }: NodeJS.ErrnoException) => {
      throw new Failure(
        `port ${port} ${code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`}: choose another with --port`,
      );
    });
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(guards(this.#token))) response.setHeader(name, value);
    // A name that somebody else's server resolves to this machine would be another origin's way in.
    const hosts = [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`];
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (!hosts.includes(request.headers.host ?? ''))
      response.writeHead(421).end('Expected a Host of this machine.\n');
    else if (!this.#isToken(searchParams.get('token') ?? ''))
      response.writeHead(403).end('Open the address that `whylight camera` has printed: it holds a token.\n');
    else if (pathname === '/stream') this.#join(response);
    else if (pathname === '/')
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(pageWith(this.#token));
    else response.writeHead(404).end();
  }

  #isToken(text: string): boolean {
    const [given, own] = [Buffer.from(text), Buffer.from(this.#token)];
    return given.length === own.length && timingSafeEqual(given, own);
  }

  /** Sends a JPEG to every viewer. A viewer that has not received the last one yet misses it. */
  show(jpeg: Uint8Array): void {
    for (const viewer of this.#viewers) {
      if (viewer.writableNeedDrain) continue;
      viewer.write(`--${boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
      viewer.write(jpeg);
      viewer.write('\r\n');
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #join(viewer: ServerResponse): void {
    viewer.writeHead(200, {
      'Content-Type': `multipart/x-mixed-replace; boundary=${boundary}`,
      'Cache-Control': 'no-store',
    });
    // The viewer learns that it is taken before the first picture comes.
    viewer.flushHeaders();
    this.#viewers.add(viewer);
    viewer.once('close', () => this.#viewers.delete(viewer));
  }
}

const guards = (nonce: string) => ({
  'Content-Security-Policy': `default-src 'none'; img-src 'self'; style-src 'nonce-${nonce}'; frame-ancestors 'none'`,
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
});
