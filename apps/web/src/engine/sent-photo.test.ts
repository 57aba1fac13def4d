import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Photo } from '../photo/photo.ts';
import { SentPhoto } from './sent-photo.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const photoOf = (number: number) =>
  ({ number, file: new File(['x'], 'a.png', { type: 'image/png' }), width: 4, height: 4 }) as Photo;

/** A service that is away for the first `away` tries. */
function serviceAway(away: number) {
  let tries = 0;
  const upload = vi.fn(async () => {
    if (tries++ < away) throw new TypeError('Failed to fetch');
    return { id: `upl_${tries}` };
  });
  return { upload, photos: new SentPhoto(upload) };
}

test('a photo is sent once for all who ask about it, and another one again', async () => {
  const { upload, photos } = serviceAway(0);
  const { signal } = new AbortController();
  const photo = photoOf(1);
  expect(await Promise.all([photos.idOf(photo, { signal }), photos.idOf(photo, { signal })])).toEqual([
    'upl_1',
    'upl_1',
  ]);
  expect(await photos.idOf(photoOf(2), { signal })).toBe('upl_2');
  expect(upload).toHaveBeenCalledTimes(2);
});

test('who asked first and stops takes the photo from nobody else', async () => {
  const { photos } = serviceAway(1);
  const [first, second] = [new AbortController(), new AbortController()];
  const photo = photoOf(1);
  const stopped = expect(photos.idOf(photo, first)).rejects.toThrow('stopped');
  const other = photos.idOf(photo, second);
  first.abort(new Error('stopped'));
  await vi.advanceTimersByTimeAsync(5000);
  await stopped;
  expect(await other).toBe('upl_2');
});

test('a photo that is replaced is not sent any more', async () => {
  const { upload, photos } = serviceAway(Infinity);
  const { signal } = new AbortController();
  const replaced = expect(photos.idOf(photoOf(1), { signal })).rejects.toThrow('Another photo');
  photos.idOf(photoOf(2), { signal }).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(5000);
  await replaced;
  const calls = upload.mock.calls.length;
  await vi.advanceTimersByTimeAsync(2000);
  expect(upload.mock.calls.length - calls).toBe(1);
});
