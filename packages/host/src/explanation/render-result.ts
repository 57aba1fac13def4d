import type { ExplanationResult } from '@whylight/contract';
import { InputError, readNpy, type Tensor } from '@whylight/core';
import { decodeImage } from '../codec/decode.ts';
import { inlineRenderPool, type RenderPool } from '../rendering/render-pool.ts';
import type { Rendering, Scene } from '../rendering/rendering.ts';
import type { Style } from '../rendering/style.ts';

export interface FinishedExplanation {
  /** The explained photo, and the bytes of `attribution.npy`. */
  readonly photo: Uint8Array;
  readonly attribution: Uint8Array;
  readonly result: Pick<
    ExplanationResult,
    'method' | 'convention' | 'task' | 'target' | 'predictions' | 'input_region'
  >;
}

/** Renders a finished explanation once more, in another style, in the owner's turn. Needs no model. @throws InputError */
export async function renderResult(
  { photo, attribution, result }: FinishedExplanation,
  style: Style,
  pool: RenderPool = inlineRenderPool,
  owner = '',
): Promise<Rendering> {
  const array = readNpy(attribution);
  if (array.dtype !== 'float32')
    throw new InputError('invalid_tensor', `attribution: expected float32, got ${array.dtype}`);
  const scene: Scene = {
    photo: await decodeImage(photo),
    region: result.input_region,
    attribution: array as Tensor<'float32'>,
    // `paint` recognises channels that come last by the shape.
    layout: 'NCHW',
    method: result.method,
    convention: result.convention,
    task: result.task,
    target: result.target,
    predicted: result.predictions[0]!,
    style,
  };
  return pool.render(scene, owner);
}
