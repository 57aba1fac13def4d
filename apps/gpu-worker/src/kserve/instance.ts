import { float32, sizeOf, type Tensor } from '@whylight/core';
import { largestImage } from './limits.ts';
import { Refusal } from './refusal.ts';

/** The image of one answer: an image file, or an image as the network takes it, [1, …]. */
export type Instance =
  | { readonly photo: Uint8Array; readonly tensor?: never }
  | { readonly tensor: Tensor<'float32'>; readonly photo?: never };

/** The bytes of an image in base 64. @throws Refusal */
export function photoOf(text: unknown, where: string): Instance {
  if (typeof text !== 'string' || text === '' || !/^[\w+/\s-]*={0,2}\s*$/.test(text))
    throw new Refusal(400, `${where}: expected an image file in base 64; got ${described(text)}`);
  return photoFrom(Buffer.from(text, 'base64'), where);
}

/** @throws Refusal for an image that is too large */
export function photoFrom(photo: Uint8Array, where: string): Instance {
  if (photo.length > largestImage)
    throw new Refusal(
      413,
      `${where}: an image that is sent as bytes may have ${largestImage} bytes (5 MiB); got ${photo.length}. Send a smaller image, or the tensor that the model takes`,
    );
  return { photo };
}

/** Reads a tensor of that shape from numbers in nested JSON lists. @throws Refusal that names the list at fault */
export function tensorOf(lists: unknown, shape: readonly number[], where: string): Tensor<'float32'> {
  const data = new Float32Array(sizeOf(shape));
  fill(data, 0, lists, shape, where);
  return float32(shape, data);
}

/** Reads such a tensor from one flat list of numbers. @throws Refusal */
export function tensorOfFlat(
  numbers: readonly unknown[],
  shape: readonly number[],
  where: string,
): Tensor<'float32'> {
  const size = sizeOf(shape);
  if (numbers.length !== size)
    throw new Refusal(
      400,
      `${where}: shape [${shape.join(', ')}] holds ${size} numbers; got ${numbers.length}`,
    );
  return float32(shape, tensorOf(numbers, [size], where).data);
}

function fill(
  data: Float32Array,
  at: number,
  list: unknown,
  [length = 0, ...below]: readonly number[],
  where: string,
): void {
  if (!Array.isArray(list) || list.length !== length)
    throw new Refusal(
      400,
      `${where}: expected a list of ${length} ${below.length > 0 ? 'lists' : 'numbers'}; got ${described(list)}`,
    );
  const step = sizeOf(below);
  for (let i = 0; i < length; i++) {
    if (below.length > 0) {
      fill(data, at + i * step, list[i], below, `${where}[${i}]`);
      continue;
    }
    const value = list[i];
    data[at + i] = value;
    if (typeof value !== 'number' || !Number.isFinite(data[at + i]))
      throw new Refusal(400, `${where}[${i}]: expected a number that FP32 holds; got ${described(value)}`);
  }
}

/** Describes a received value in few words. */
export function described(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string')
    return value.length > 40 ? `a text of ${value.length} characters` : JSON.stringify(value);
  return value === undefined ? 'nothing' : String(value);
}
