import { createServer } from 'node:net';
import { Failure } from '../failure.ts';

/**
 * The next port after `port` if it is free, else any free one: a port that stays the same is easier to forward. Not for a port
 * that the kernel has chosen: the next one is among those that it gives to connections at any moment.
 */
export const nextPort = (port: number): Promise<number> =>
  freePort(port < 65_535 ? port + 1 : 0).catch(() => freePort(0));

/** The port, or for 0 a free one, on the loopback interface. @throws Failure when it is taken */
export function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`;
      reject(new Failure(`port ${wanted} ${reason}: choose another with --port`));
    });
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
