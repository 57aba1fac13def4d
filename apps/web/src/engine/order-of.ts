import type { Tensor } from '@whylight/core';
import { valuesOf } from '@whylight/core/drawing';
import type { Result } from './engine.ts';

/** One value for each point of a map. Of pixels it is the magnitude, as `whylight evaluate` takes it. */
export function orderOf({
  attribution,
  shape,
  layout,
  kind,
}: Pick<Result, 'attribution' | 'shape' | 'layout' | 'kind'>) {
  const tensor = { dtype: 'float32', shape, data: attribution } as Tensor<'float32'>;
  const { data, width, height } = valuesOf({ attribution: tensor, layout, ...kind }).values;
  return { values: kind.isPixels ? data.map(Math.abs) : data.slice(), width, height };
}
