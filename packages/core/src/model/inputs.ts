import { InputError } from '../errors.ts';
import { widenTensor } from '../lowering/widen.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { toInt64, type ValueInfo } from '../onnx/graph.ts';
import { listed, quoted } from '../onnx/names.ts';
import { type DType, dtypes, sizeOf, type Tensor, type TensorData } from '../tensor.ts';

/** The fixed value of an input that is not the image: one number for all of it, its elements in order, or a tensor. */
export type FixedInput = number | readonly number[] | Tensor;
export type FixedInputs = Readonly<Record<string, FixedInput>>;

/** Returns the only input that is not fixed. @throws InputError if it is not an image, or more than one is not fixed */
export function imageInput(inputs: readonly ValueInfo[], fixed: FixedInputs): ValueInfo {
  const unknown = Object.keys(fixed).find((name) => inputs.every((input) => input.name !== name));
  if (unknown !== undefined)
    throw new InputError(
      'invalid_parameter',
      `the model has no input ${quoted(unknown)}; it has ${listed(inputs.map((input) => input.name))}`,
    );
  const open = inputs.filter((input) => !Object.hasOwn(fixed, input.name));
  const [input] = open;
  if (!input || open.length > 1 || ![3, 4].includes(input.shape.length))
    throw new InputError(
      'invalid_model',
      `expected one input with 4 axes (or 3, without batch or channels); this model has ${open.map((i) => `${quoted(i.name)} [${i.shape}]`).join(', ') || 'none'}${open.length > 1 ? ': fix each of them but the image to a value (--input NAME=VALUE, or fixed_inputs in the manifest)' : ''}`,
    );
  if (input.dtype === 'bool')
    throw new InputError(
      'invalid_model',
      `input ${quoted(input.name)} is ${input.dtype}; a type of numbers is expected, such as float32 or uint8`,
    );
  return input;
}

/**
 * Makes the value of a fixed input. If the input has a row for each image, one row is given and stands for all; other
 * open dimensions are those of the tensor, or 1.
 *
 * @throws InputError invalid_parameter if type, shape or number of elements are not the input's
 */
export function fixedValue(
  g: GraphBuilder,
  { name, dtype, shape }: ValueInfo,
  given: FixedInput,
  image: { readonly info: ValueInfo; readonly value: Value },
): Value {
  const perImage = typeof shape[0] === 'string' && shape[0] === image.info.shape[0];
  const expected = shape.map((d, i) => (i === 0 && perImage ? 1 : d));
  const refuse = (got: string): never => {
    throw new InputError('invalid_parameter', `input ${quoted(name)} is ${dtype} [${expected}], got ${got}`);
  };
  const type = dtype === 'float16' ? 'float32' : dtype;
  const closed = expected.map((d) => (typeof d === 'number' ? d : 1));
  if (typeof given === 'object' && 'data' in given) {
    const fits = given.shape.length === shape.length && given.shape.every((d, i) => isOpen(expected[i]!, d));
    if (!fits || given.dtype !== dtype) refuse(`${given.dtype} [${given.shape}]`);
    return stretched(g, g.constant(given.dtype === 'float16' ? widenTensor(given) : given), given.shape);
  }
  const values = typeof given === 'number' ? [given] : given;
  if (!isFloat(type) && !values.every(Number.isInteger)) refuse('a fraction');
  if (typeof given === 'number') return stretched(g, g.constant(tensorOf(type, [], values)), closed);
  if (values.length !== sizeOf(closed)) refuse(`${values.length} elements`);
  return stretched(g, g.constant(tensorOf(type, closed, values)), closed);

  /** Expands a constant to the input's shape, with a row for each image if the input has such rows. */
  function stretched(g: GraphBuilder, constant: Value, to: readonly number[]): Value {
    if (!perImage)
      return g.shape(constant).length === to.length ? constant : g.emit('Expand', [constant, g.ints(to)]);
    const batch = g.emit('Shape', [image.value], { start: 0, end: 1 });
    return g.emit('Expand', [constant, g.emit('Concat', [batch, g.ints(to.slice(1))], { axis: 0 })]);
  }
}

const isOpen = (declared: number | string, size: number): boolean =>
  typeof declared === 'string' || declared === size;

function tensorOf(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const data = (
    dtype === 'int64' || dtype === 'uint64'
      ? (dtypes[dtype] as BigInt64ArrayConstructor).from(values, toInt64)
      : (dtypes[dtype] as Float32ArrayConstructor).from(values)
  ) as TensorData;
  return { dtype, shape, data } as Tensor;
}
