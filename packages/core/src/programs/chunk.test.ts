import { expect, test } from 'vitest';
import { OutOfMemoryError } from '../errors.ts';
import { Chunk } from './chunk.ts';

/** What a device that has room for `room` rows is given, and what it takes. */
function device(room: number) {
  const asked: string[] = [];
  const work = async (start: number, end: number) => {
    asked.push(`${start}-${end}`);
    if (end - start > room) throw new OutOfMemoryError('no room');
  };
  return { asked, work };
}

test('F1: a chunk that does not fit is halved, and the next one is not tried larger again', async () => {
  const { asked, work } = device(3);
  const chunk = new Chunk(8);
  await chunk.over(10, work);
  expect(asked).toEqual(['0-8', '0-4', '0-2', '2-4', '4-6', '6-8', '8-10']);
  asked.length = 0;
  await chunk.over(3, work);
  expect(asked).toEqual(['0-2', '2-3']);
});

test('F1: one row that does not fit is an error', async () => {
  const { asked, work } = device(0);
  await expect(new Chunk(4).over(4, work)).rejects.toBeInstanceOf(OutOfMemoryError);
  expect(asked).toEqual(['0-4', '0-2', '0-1']);
});

test('what a graph takes is not changed, and other errors are not tried again', async () => {
  const { asked, work } = device(2);
  await expect(new Chunk(4, true).over(8, work)).rejects.toBeInstanceOf(OutOfMemoryError);
  expect(asked).toEqual(['0-4']);
  const broken = () => Promise.reject(new TypeError('broken'));
  await expect(new Chunk(4).over(8, broken)).rejects.toBeInstanceOf(TypeError);
});
