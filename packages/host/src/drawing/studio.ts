import { Worker } from 'node:worker_threads';
import { endThread } from '../thread-end.ts';
import { drawPictures, type Pictures, type Scene } from './pictures.ts';

/** Draws the pictures of explanations. */
export interface Studio {
  draw(scene: Scene): Promise<Pictures>;
  close(): Promise<void>;
}

export interface Drawn {
  readonly id: number;
  readonly pictures?: Pictures;
  readonly fault?: string;
}

/** Draws on the thread that asks. */
export const studioHere: Studio = { draw: drawPictures, close: async () => {} };

interface Easel {
  readonly thread: Worker;
  readonly waiting: Map<number, { resolve: (pictures: Pictures) => void; reject: (error: Error) => void }>;
}

/**
 * Draws in threads of its own: drawing costs more than explaining where a network is small, and a thread that draws
 * cannot feed the device. A thread that dies fails the pictures that it had, and another takes its place.
 */
export function createStudio(threads: number): Studio {
  const easels = new Set<Easel>();
  let drawn = 0;
  let open = true;

  const add = () => {
    const thread = new Worker(new URL('./studio-thread.ts', import.meta.url));
    const easel: Easel = { thread, waiting: new Map() };
    thread.unref();
    thread.on('message', ({ id, pictures, fault }: Drawn) => {
      const asked = easel.waiting.get(id);
      easel.waiting.delete(id);
      if (pictures) asked?.resolve(pictures);
      else asked?.reject(new Error(fault));
    });
    thread.on('error', () => {});
    thread.on('exit', () => {
      easels.delete(easel);
      for (const { reject } of easel.waiting.values()) reject(new Error('the thread that draws has stopped'));
      if (open) add();
    });
    easels.add(easel);
  };
  for (let i = 0; i < threads; i++) add();

  return {
    draw(scene) {
      const [easel] = [...easels].sort((a, b) => a.waiting.size - b.waiting.size);
      return new Promise((resolve, reject) => {
        if (!open || !easel) return reject(new Error('the studio is closed'));
        const id = ++drawn;
        easel.waiting.set(id, { resolve, reject });
        easel.thread.postMessage({ id, scene });
      });
    },
    async close() {
      open = false;
      for (const { waiting } of easels) {
        for (const { reject } of waiting.values()) reject(new Error('the thread that draws has stopped'));
        waiting.clear();
      }
      await Promise.all([...easels].map(({ thread }) => endThread(thread)));
    },
  };
}
