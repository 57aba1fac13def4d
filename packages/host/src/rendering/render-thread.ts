/** The other end of `render-pool.ts`: a worker thread that renders one scene after the other. */
import { parentPort } from 'node:worker_threads';
import { answerRequests } from '@whylight/core';
import { closeAtEnd } from '../thread-end.ts';
import { type Rendering, renderScene, type Scene } from './rendering.ts';

let last: Promise<unknown> = Promise.resolve();

const render = (scene: Scene): Promise<Rendering> => {
  const rendering = last.then(() => renderScene(scene));
  last = rendering.catch(() => undefined);
  return rendering;
};

closeAtEnd(parentPort!, () => last);
parentPort!.on(
  'message',
  answerRequests(
    (message) => parentPort!.postMessage(message),
    render,
    (error) => (error as Error).message,
  ),
);
