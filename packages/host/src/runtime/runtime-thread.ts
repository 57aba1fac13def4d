/** The other end of `threaded-runtime.ts`: a worker thread that holds the runtime and its sessions. */
import { parentPort, workerData } from 'node:worker_threads';
import { answerRequests, type Runtime, type Session } from '@whylight/core';
import { closeAtEnd } from '../thread-end.ts';
import { failureOf } from './failure.ts';
import { createRuntime } from './runtime.ts';
import type { Answer, Request } from './threaded-runtime.ts';

const sessions = new Map<number, Session>();
let runtime: Runtime | undefined;

async function answer(request: Request): Promise<Answer> {
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

closeAtEnd(parentPort!);
parentPort!.on(
  'message',
  answerRequests((message) => parentPort!.postMessage(message), answer, failureOf),
);
