/** The other end of `threaded-runtime.ts`: a worker thread that holds the runtime and its sessions. */
import { parentPort, workerData } from 'node:worker_threads';
import { InputError, type Runtime, type Session } from '@whylight/core';
import { ProviderUnavailableError } from './provider.ts';
import { createRuntime, DeviceError } from './runtime.ts';
import type { Answer, Failure, Request } from './threaded-runtime.ts';

const sessions = new Map<number, Session>();
let runtime: Runtime | undefined;

async function answer(request: Request): Promise<Answer['value']> {
  switch (request.op) {
    case 'start':
      runtime = await createRuntime(workerData);
      return runtime.device;
    case 'load':
      sessions.set(request.session, await runtime!.load(request.model));
      return null;
    case 'run':
      return sessions.get(request.session)!.run(request.feeds);
    case 'close':
      await sessions.get(request.session)!.close();
      sessions.delete(request.session);
      return null;
  }
}

/** Errors lose their class on the way between threads. */
function failureOf(error: unknown): Failure {
  const { message } = error as Error;
  if (error instanceof InputError) return { kind: 'input', code: error.code, message };
  if (error instanceof DeviceError) return { kind: 'device', transient: error.transient, message };
  if (error instanceof ProviderUnavailableError)
    return { kind: 'provider', provider: error.provider, reason: error.reason };
  return { kind: 'other', message };
}

parentPort!.on('message', async ({ id, ...request }: Request & { id: number }) => {
  const answered: Answer = await answer(request as Request).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, value: null, failure: failureOf(error) }),
  );
  parentPort!.postMessage(answered);
});
