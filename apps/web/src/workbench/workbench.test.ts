import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KeyError } from '../engine/engine.ts';
import { isStale } from '../state/session.ts';
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
  const store = new Store(session({ service: { url: 'http://gateway.test', key: { phase: 'none' } } }));
  const engine = engineDouble();
  const service = engineDouble({ place: 'service', url: 'http://gateway.test', models: [], unitsLeft: 9 });
  const starts = {
    tab: async () => engine,
    service: async (_: string, key: string) => {
      if (key !== 'right') throw new KeyError('The service does not know this key.');
      return service;
    },
  };
  const workbench = new Workbench(store, starts);
  await workbench.choosePhoto(file('a.png'));
  await workbench.useTab();
  return { store, workbench, engine, service };
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
  engine.asked[0]!.fail(new Error('memory is full'));
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
  const fails = async () => {
    throw new Error('no WebAssembly');
  };
  await new Workbench(store, { tab: fails, service: fails }).useTab();
  expect(store.session.engine).toEqual({ phase: 'failed', message: 'no WebAssembly' });
});

describe('the service', () => {
  test('answers once it has taken the key; what the tab has answered stays, and is marked', async () => {
    const { store, workbench, engine, service } = await ready();
    engine.asked[0]!.answer();
    await vi.waitFor(() => expect(phases(store)[0]).toBe('none'));
    await workbench.useService('wrong');
    expect(store.session.service!.key).toMatchObject({ phase: 'refused', isKey: true });
    expect(store.session.engine).toMatchObject({ phase: 'ready', facts: { place: 'tab' } });
    await workbench.useService('right');
    expect(store.session).toMatchObject({
      service: { key: { phase: 'accepted' } },
      engine: { phase: 'ready', facts: { place: 'service' } },
    });
    expect(isStale(store.session, store.session.tiles[0]!)).toBe(true);
    expect(service.asked.map(({ method }) => method)).toEqual(['grad-cam']);
    await workbench.useTab();
    expect(store.session.engine).toMatchObject({ phase: 'ready', facts: { place: 'tab' } });
    expect(isStale(store.session, store.session.tiles[0]!)).toBe(false);
  });

  test('is asked for a key again when it no longer takes the one it had', async () => {
    const { store, workbench, service } = await ready();
    await workbench.useService('right');
    service.asked[0]!.fail(new KeyError('The key has expired.'));
    await vi.waitFor(() => expect(phases(store)[0]).toBe('failed'));
    expect(store.session.service!.key).toEqual({
      ...{ phase: 'refused', isKey: true, message: 'The key has expired.' },
    });
  });

  test('that cannot be reached is said at the method, and the job goes on', async () => {
    const { store, workbench, service } = await ready();
    await workbench.useService('right');
    service.asked[0]!.reach(false);
    expect(store.session.tiles[0]!.work).toMatchObject({ phase: 'running', isLost: true });
    service.asked[0]!.reach(true);
    expect(store.session.tiles[0]!.work).toMatchObject({ phase: 'running', isLost: false });
    service.asked[0]!.answer();
    await vi.waitFor(() => expect(phases(store)[0]).toBe('none'));
  });
});
