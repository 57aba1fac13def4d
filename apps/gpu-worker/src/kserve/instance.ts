import { described, floatsOf } from '@whylight/contract/kserve';
import { float32, type Tensor } from '@whylight/core';
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

/** Reads a tensor of that shape from numbers in nested JSON lists. @throws KServeFault that names the list at fault */
export const tensorOf = (lists: unknown, shape: readonly number[], where: string): Tensor<'float32'> =>
  float32(shape, floatsOf(lists, shape, where));
