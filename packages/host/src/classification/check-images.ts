import { InputError, sizeOf, type Tensor } from '@whylight/core';

/** Checks that these are images as a network takes them, [N, …shape]. @throws InputError `invalid_tensor` */
export function checkImages({ shape, data }: Tensor<'float32'>, expected: readonly number[]): void {
  const [count = 0, ...own] = shape;
  if (count < 1 || own.join() !== expected.join() || data.length !== sizeOf(shape))
    throw new InputError(
      'invalid_tensor',
      `the model takes float32 [N, ${expected.join(', ')}], got [${shape.join(', ')}]`,
    );
}
