import { InputError, readNpy, type Tensor } from '@whylight/core';
import { decodeImage } from '../codec/decode.ts';
import type { Pictures } from '../drawing/pictures.ts';
import { type Studio, studioHere } from '../drawing/studio.ts';
import type { Visualization } from '../drawing/visualization.ts';
import type { Result } from './result.ts';

export interface Redrawing {
  /** The photo that was explained, and `attribution.npy` as it was written. */
  readonly photo: Uint8Array;
  readonly attribution: Uint8Array;
  readonly result: Pick<Result, 'method' | 'task' | 'target' | 'predictions' | 'input_region'>;
  readonly language: 'en' | 'zh';
  readonly visualization: Visualization;
}

/** The pictures of a finished explanation once more, in another look. Needs no model. @throws InputError */
export async function redraw(
  { photo, attribution, result, ...look }: Redrawing,
  studio: Studio = studioHere,
): Promise<Pictures> {
  const array = readNpy(attribution);
  if (array.dtype !== 'float32')
    throw new InputError('invalid_tensor', `attribution: expected float32, got ${array.dtype}`);
  return studio.draw({
    photo: await decodeImage(photo),
    region: result.input_region,
    attribution: array as Tensor<'float32'>,
    // Channels that come last are known by the shape.
    layout: 'NCHW',
    method: result.method,
    task: result.task,
    target: result.target,
    predicted: result.predictions[0]!,
    ...look,
  });
}
