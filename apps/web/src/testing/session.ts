import type { MethodFacts } from '@whylight/web';
import type { Engine, EngineFacts, ModelCard, Result } from '../engine/engine.ts';
import type { Photo } from '../photo/photo.ts';
import { first, none, type Session } from '../state/session.ts';

/** A session with two methods, before anything is asked. */
export const session = (change: Partial<Session> = {}): Session => ({
  language: 'en',
  engine: { phase: 'loading', what: 'engine', part: null },
  service: null,
  ...{ model: null, opening: none, photo: null, reading: none, photoFailure: null },
  ...{ classes: null, classesOf: null, classifying: none, target: null },
  tiles: ['grad-cam', 'occlusion'].map((method) => ({ method, shown: null, work: none })),
  look: { opacity: 0.8, hidden: 0, backdrop: 'original', colormap: null },
  ...change,
});

const facts = (id: string, runs: number): MethodFacts => ({
  ...{ id, title: id, summary: '', paper: '', kind: 'map', needs: [], works: true, reason: null },
  ...{ runs, parameters: {} },
});

export const model = (id: number = first.model): ModelCard => ({
  ...{ id, name: `model ${id}`, sha256: '', classes: 3, labels: null, notes: [] },
  preprocessing: {} as never,
  methods: [facts('grad-cam', 1), facts('occlusion', 784)],
  suggested: ['grad-cam', 'occlusion'],
});

export const photo = (number: number = first.photo): Photo => ({
  ...{ number, name: `photo ${number}.jpg`, width: 4, height: 4, shrunkFrom: null },
  bitmap: {} as ImageBitmap,
  file: new File([], `photo ${number}.jpg`),
});

export const result = (method: string): Result => ({
  ...{ method, convention: 'paper', parameters: {}, layers: [], convergenceDelta: null, warnings: [] },
  target: { class_index: 1, label: 'cat', label_zh: null, score: 1 },
  ...{ attribution: new Float32Array(4), shape: [1, 2, 2], layout: 'NCHW', compute: 1 },
  kind: { isPixels: false, addsUp: false },
  region: { x: 0, y: 0, width: 4, height: 4 },
});

interface AskedDouble {
  readonly method: string;
  readonly photo: number;
  answer(): void;
  fail(error: Error): void;
  reach(isReached: boolean): void;
}

const tabFacts: EngineFacts = { place: 'tab', device: 'a double', threads: 1, reasons: [] };

/** An engine whose answers come when the test says so, in any order. */
export function engineDouble(facts: EngineFacts = tabFacts): Engine & { readonly asked: AskedDouble[] } {
  const asked: AskedDouble[] = [];
  const sign = facts.place === 'tab' ? 1 : -1;
  return {
    asked,
    facts,
    openModel: async (choice) => model(choice === 'default' ? sign : 2 * sign),
    closeModel: async () => undefined,
    classify: async () => ({ all: [], warnings: [], run: 10 }),
    explain: ({ method, photo: { number } }, { signal, onReach }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        asked.push({
          ...{ method, photo: number },
          answer: () => resolve(result(method)),
          fail: reject,
          reach: (isReached) => onReach?.(isReached),
        });
      }),
    compile: async () => new Uint8Array(),
    judge: null,
    close: () => undefined,
  };
}
