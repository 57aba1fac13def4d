import { answerRequests } from '@whylight/core';
import { type Answer, type Call, type Progress, transferables } from '../calls.ts';
import { failureOf } from '../failure.ts';
import { Engine } from './engine.ts';
import { startRuntime } from './start.ts';

/** This thread. The types of a page do not have it. */
const port = globalThis as unknown as {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
};

let engine: Engine | undefined;
let last: Promise<unknown> = Promise.resolve();

async function answer(
  call: Call,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Answer> {
  signal.throwIfAborted();
  if (call.name === 'start') {
    const { runtime, backend } = await startRuntime(call);
    engine = new Engine(runtime);
    return backend;
  }
  if (!engine) throw new Error('the worker has not started');
  switch (call.name) {
    case 'open':
      return engine.open(call.source, { signal, onProgress });
    case 'release':
      await engine.release(call.model);
      return undefined;
    case 'classify':
      return engine.classify(call);
    case 'explain':
      return engine.explain(call, { signal, onProgress });
    case 'judge':
      return engine.judge(call, { signal, onProgress });
    case 'check':
      return engine.check(call.model);
    case 'compile':
      return engine.compile(call);
  }
}

const receive = answerRequests<Call, Answer, Progress>(
  (message) => port.postMessage(message, transferables(message)),
  (call, { signal, notify }) => {
    // Calls run one after another: there is one processor and one memory of WebAssembly.
    const turn = last.then(() => answer(call, signal, notify));
    last = turn.catch(() => undefined);
    return turn.finally(() => 'bitmap' in call && call.bitmap.close());
  },
  failureOf,
);
port.onmessage = ({ data }) => void receive(data);
