import { float32 } from '@whylight/core';
import { networkOf } from '@whylight/core/testing';

const values = (...shape: number[]) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i + 1)),
  );

/** A classifier of 128 by 128 pixels with a Hardmax (node `odd`), which has no derivative, between features and scores. */
export const oddNetwork = (): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    networkOf([3, 128, 128], (layer, image, g) => {
      const conv = layer('conv', 'Conv', [image, g.constant(values(4, 3, 3, 3), 'w')], { strides: [4, 4] });
      const pooled = layer('pooled', 'GlobalAveragePool', [layer('relu', 'Relu', [conv])]);
      const odd = layer('odd', 'Hardmax', [layer('flat', 'Flatten', [pooled])], { axis: 1 });
      return layer('logits', 'Gemm', [odd, g.constant(values(4, 10), 'fc')]);
    }),
  );
