import { request } from 'node:http';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare';
import { entrySocket } from './home.ts';

export interface MiniflareOptions {
  readonly workers: V4WorkerOptions[];
  /** Folder of databases, Durable Objects and objects. */
  readonly state: string;
  /** Whether everything goes to the log, and not warnings and failures only. */
  readonly verbose: boolean;
  /** Called when workerd has died and runs again. */
  readonly onRestart?: () => void;
}

const { resolve } = createRequire(import.meta.url);
/** The workerd that this Miniflare is made for. */
const workerd = (createRequire(resolve('miniflare'))('workerd') as { readonly default: string }).default;

/**
 * Miniflare that answers nobody by itself: no inspector, no explorer, no handlers to call, and its entry a socket in the
 * folder that this process runs from.
 */
export function startMiniflare({ workers, state, verbose, onRestart }: MiniflareOptions): Miniflare {
  Object.assign(process.env, {
    MINIFLARE_WORKERD_PATH: fileURLToPath(new URL('../../../bin/workerd.sh', import.meta.url)),
    WHYLIGHT_WORKERD: workerd,
    WHYLIGHT_ENTRY: entrySocket,
  });
  return new Miniflare(
    convertV4MiniflareOptions({
      workers,
      resourcePersistencePath: state,
      host: '127.0.0.1',
      // Cloudflare's data about a request (request.cf) would be fetched from the internet.
      cf: false,
      logRequests: false,
      log: new Log(verbose ? LogLevel.INFO : LogLevel.WARN),
      handleStructuredLogs: ({ level, message }) => {
        if (verbose || level === 'warn' || level === 'error') console.log(message);
      },
      ...(onRestart && { unsafeHandleRuntimeRestart: onRestart }),
    }),
  );
}

/** POSTs to the first worker through the entry. @throws Error when it does not answer 200 */
export function askEntry(body: string): Promise<string> {
  return new Promise((done, reject) => {
    const asked = request({ socketPath: entrySocket, host: '127.0.0.1', method: 'POST', path: '/' });
    asked.once('error', reject);
    asked.once('response', (answer) => {
      text(answer).then((said) => {
        if (answer.statusCode === 200) done(said);
        else reject(new Error(said.split('\n')[0]));
      }, reject);
    });
    asked.end(body);
  });
}
