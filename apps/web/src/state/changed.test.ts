import { describe, expect, test } from 'vitest';
import { model, photo, result, session } from '../testing/session.ts';
import { changed } from './changed.ts';
import type { Change } from './changes.ts';
import { areClassesStale, isStale, questionNow, type Session } from './session.ts';

const after = (start: Session, ...changes: Change[]): Session => changes.reduce(changed, start);
const asked = (request: number, method = 'grad-cam'): Change => ({ type: 'tile-asked', method, request });
const answered = (start: Session, request: number, method = 'grad-cam'): Change => ({
  ...{ type: 'tile-answered', method, request, photo: photo(), result: result(method) },
  question: questionNow(start, method),
});
const tileOf = (of: Session, method = 'grad-cam') => of.tiles.find((tile) => tile.method === method)!;

describe('an answer', () => {
  test('to the last request is shown', () => {
    const start = session({ photo: photo(), model: model() });
    const end = after(start, asked(1), answered(start, 1));
    expect(tileOf(end)).toMatchObject({ work: { phase: 'none' }, shown: { kind: 'computed' } });
    expect(isStale(end, tileOf(end))).toBe(false);
  });

  test('to an older request is dropped, whatever it is', () => {
    const start = after(session({ photo: photo(), model: model() }), asked(1), asked(2));
    const late: Change[] = [
      answered(start, 1),
      { type: 'tile-failed', method: 'grad-cam', request: 1, message: 'late' },
      { type: 'tile-progress', method: 'grad-cam', request: 1, part: 0.5 },
    ];
    for (const change of late) expect(after(start, change)).toEqual(start);
  });

  test('to a request that was stopped is dropped', () => {
    const start = after(session(), asked(1), { type: 'tile-stopped', method: 'grad-cam' });
    expect(tileOf(after(start, answered(start, 1)))).toMatchObject({
      shown: null,
      work: { phase: 'stopped' },
    });
  });

  test('of an older photo, model or classification is dropped', () => {
    const start = after(
      session(),
      { type: 'photo-reading', request: 1 },
      { type: 'photo-reading', request: 2 },
      { type: 'model-opening', request: 3, part: null },
      { type: 'model-opening', request: 4, part: null },
      { type: 'classes-asked', request: 5 },
      { type: 'classes-asked', request: 6 },
    );
    const late: Change[] = [
      { type: 'photo-read', request: 1, photo: photo() },
      { type: 'photo-failed', request: 1, failure: { fault: 'heic', file: 'a.heic' } },
      { type: 'model-opening', request: 3, part: 0.5 },
      { type: 'model-opened', request: 3, model: model() },
      { type: 'model-failed', request: 3, message: 'late' },
      {
        type: 'classes-answered',
        request: 5,
        of: { photo: 1, model: 1 },
        classes: { all: [], warnings: [], run: 1 },
      },
      { type: 'classes-failed', request: 5, message: 'late' },
    ];
    for (const change of late) expect(after(start, change)).toEqual(start);
  });
});

describe('a result', () => {
  const start = session({ photo: photo(), model: model() });
  const shown = after(start, asked(1), answered(start, 1));

  test.each<[string, Change[]]>([
    [
      'photo',
      [
        { type: 'photo-reading', request: 2 },
        { type: 'photo-read', request: 2, photo: photo(2) },
      ],
    ],
    ['class', [{ type: 'target', target: 2 }]],
    [
      'model',
      [
        { type: 'model-opening', request: 2, part: null },
        { type: 'model-opened', request: 2, model: model(2) },
      ],
    ],
  ])('stays, and is marked, when the %s changes', (_, changes) => {
    const end = after(shown, ...changes);
    expect(tileOf(end).shown?.kind).toBe('computed');
    expect(isStale(end, tileOf(end))).toBe(true);
  });

  test('stays as it is when only the look changes', () => {
    const end = after(shown, { type: 'look', look: { hidden: 50 } });
    expect(isStale(end, tileOf(end))).toBe(false);
    expect(end.look).toEqual({ opacity: 0.8, hidden: 50, backdrop: 'original', colormap: null });
  });
});

test('another photo or model goes back to the likeliest class; the first photo keeps what was chosen', () => {
  const chosen = session({ target: 2 });
  const first = after(
    chosen,
    { type: 'photo-reading', request: 1 },
    { type: 'photo-read', request: 1, photo: photo() },
  );
  expect(first.target).toBe(2);
  const second = after(
    first,
    { type: 'photo-reading', request: 2 },
    { type: 'photo-read', request: 2, photo: photo(2) },
  );
  expect(second.target).toBeNull();
});

test('classes of another photo are marked', () => {
  const start = session({ photo: photo(2), classesOf: { photo: 1, model: 1 } });
  expect(areClassesStale(start)).toBe(true);
  expect(areClassesStale({ ...start, classesOf: { photo: 2, model: 1 } })).toBe(false);
});
