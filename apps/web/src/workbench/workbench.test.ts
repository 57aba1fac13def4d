import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Store } from '../state/store.ts';
import { engineDouble, session } from '../testing/session.ts';
import { Workbench } from './workbench.ts';

/** The browser's decoder, which is not what is tested here. */
beforeEach(() => {
  vi.stubGlobal('createImageBitmap', async () => ({ width: 4, height: 4, close: () => undefined }));
});
afterEach(() => vi.unstubAllGlobals());

const file = (name: string) => new File(['x'], name, { type: 'image/png' });

async function ready() {
  const store = new Store(session());
  const workbench = new Workbench(store);
  const engine = engineDouble();
  await workbench.choosePhoto(file('a.png'));
  await workbench.start(async () => engine);
  return { store, workbench, engine };
}

const phases = ({ session: { tiles } }: Store) => tiles.map(({ work }) => work.phase);

test('a photo is explained by what costs little; the rest waits for the user', async () => {
  const { store, workbench, engine } = await ready();
  expect(engine.asked.map(({ method }) => method)).toEqual(['grad-cam']);
  expect(phases(store)).toEqual(['running', 'none']);
  workbench.explainAll();
  expect(engine.asked.map(({ method }) => method)).toEqual(['grad-cam', 'occlusion']);
});

test('answers that come out of order show the last question', async () => {
  const { store, workbench, engine } = await ready();
  await workbench.choosePhoto(file('b.png'));
  const [older, newer] = engine.asked;
  newer!.answer();
  await vi.waitFor(() => expect(phases(store)[0]).toBe('none'));
  older!.answer();
  await Promise.resolve();
  const [tile] = store.session.tiles;
  expect(tile!.shown?.question.photo).toBe(store.session.photo?.number);
});

test('another model or photo stops what is under way, which would hold up the new one', async () => {
  const { store, workbench, engine } = await ready();
  const opening = workbench.chooseModel({ files: [file('mine.onnx')] });
  expect(phases(store)).toEqual(['stopped', 'none']);
  await opening;
  expect(engine.asked).toHaveLength(2);
  expect(store.session.model?.name).toBe('model 2');
});

test('what is stopped is stopped, and fails nowhere', async () => {
  const { store, workbench, engine } = await ready();
  workbench.stop('grad-cam');
  engine.asked[0]!.answer();
  await Promise.resolve();
  expect(store.session.tiles[0]).toMatchObject({ shown: null, work: { phase: 'stopped' } });
});

test('an error stands at the method that failed', async () => {
  const { store, engine } = await ready();
  engine.asked[0]!.fail('memory is full');
  await vi.waitFor(() => expect(phases(store)[0]).toBe('failed'));
  expect(store.session.tiles[0]!.work).toEqual({ phase: 'failed', message: 'memory is full' });
});

test('a file that is no photo is refused, and the photo before stays', async () => {
  const { store, workbench } = await ready();
  const before = store.session.photo;
  await workbench.choosePhoto(new File(['x'], 'notes.txt', { type: 'text/plain' }));
  expect(store.session.photo).toBe(before);
  expect(store.session.photoFailure).toMatchObject({ fault: 'not-a-photo', file: 'notes.txt' });
});

test('an engine that does not start leaves what is there, and says so', async () => {
  const store = new Store(session());
  await new Workbench(store).start(async () => {
    throw new Error('no WebAssembly');
  });
  expect(store.session.engine).toEqual({ phase: 'failed', message: 'no WebAssembly' });
});
