import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../failure.ts';

const boundary = 'frame';
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Whylight</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{margin:0;background:#101418;color:#e8eaed;font:1rem system-ui,sans-serif;display:grid;place-items:center;height:100vh}img{max-width:100vw;max-height:100vh}</style>
<img src="/stream" alt="What the network looks at, live">
`;

/** A page on this machine that shows pictures as they come, as motion JPEG. */
export class LivePage {
  readonly #server = createServer((request, response) => {
    if (request.url === '/stream') this.#join(response);
    else if (request.url === '/') response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
    else response.writeHead(404).end();
  });
  readonly #viewers = new Set<ServerResponse>();

  /** Opens on the loopback interface; port 0 is a free one. @throws Failure when the port is taken */
  async open(port: number): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening').catch(({ code }: NodeJS.ErrnoException) => {
      throw new Failure(
        `port ${port} ${code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`}: choose another with --port`,
      );
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
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
    this.#viewers.add(viewer);
    viewer.once('close', () => this.#viewers.delete(viewer));
  }
}
