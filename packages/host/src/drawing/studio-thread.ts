/** The other end of `studio.ts`: draws, one scene after the other. */
import { parentPort } from 'node:worker_threads';
import { endWhenTold } from '../thread-end.ts';
import { drawPictures, type Scene } from './pictures.ts';
import type { Drawn } from './studio.ts';

let last: Promise<void> = Promise.resolve();

endWhenTold(parentPort!, () => last);
parentPort!.on('message', ({ id, scene }: { id: number; scene?: Scene }) => {
  if (!scene) return;
  last = last.then(async () => {
    const drawn: Drawn = await drawPictures(scene).then(
      (pictures) => ({ id, pictures }),
      (error: Error) => ({ id, fault: error.message }),
    );
    parentPort!.postMessage(drawn);
  });
});
