import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

/** Destination of a request: a TCP port, or a unix socket by its path. */
export type Target = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface Probe {
  readonly method: string;
  /** The path as it is sent, not normalised. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  /** 101: the listener has switched to another protocol. 0: it gave no HTTP answer. */
  readonly status: number;
  readonly body: string;
}

/** Milliseconds after which a listener counts as silent. */
const patience = 10_000;
/** Characters of an answer that are kept. */
const longest = 65_536;

/** Sends one request on a connection of its own. */
export function probe(target: Target, { method, path, headers }: Probe): Promise<Answer> {
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: '' });
    const asked = request({ ...target, method, path, headers, agent: false, timeout: patience });
    asked.once('upgrade', (_, socket) => {
      socket.destroy();
      resolve({ status: 101, body: '' });
    });
    asked.once('connect', (answer: IncomingMessage, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, body: '' });
    });
    asked.once('response', async (answer) => {
      let body = '';
      try {
        for await (const chunk of answer.setEncoding('utf8')) {
          body += chunk;
          if (body.length > longest) break;
        }
      } catch {
        // The part that came until then counts.
      }
      asked.destroy();
      resolve({ status: answer.statusCode ?? 0, body });
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', none);
    asked.end();
  });
}

/** Sends a head byte by byte as it is, which Node's client would not; the status, or 0 if there was no HTTP answer. */
export function statusOf(target: Target, head: string): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect('socketPath' in target ? { path: target.socketPath } : target, () =>
      socket.write(`${head}Connection: close\r\n\r\n`),
    );
    socket.setTimeout(patience, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (piece) => {
      text += piece;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)));
  });
}

/** Headers that begin a WebSocket, as an inspector expects them. */
export const webSocketHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
