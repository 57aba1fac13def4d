import { createServer } from 'node:net';
import { Failure } from '../failure.ts';

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
