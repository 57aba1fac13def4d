import { InputError } from '../errors.ts';
import { type DType, dtypes, type Tensor } from '../tensor.ts';

/** A tensor from the JavaScript bindings of ONNX Runtime. */
interface Fetched {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** Converts it to the engine's tensor, in the same memory. @throws InputError for strings and 4-bit numbers */
export function fetchedTensor(name: string, { type, data, dims }: Fetched): Tensor {
  if (!Object.hasOwn(dtypes, type))
    throw new InputError('invalid_model', `output ${name}: no support for dtype ${type}`);
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView<ArrayBuffer>;
  const Data = dtypes[type as DType];
  return {
    dtype: type as DType,
    shape: dims,
    data: new Data(buffer, byteOffset, byteLength / Data.BYTES_PER_ELEMENT),
  } as Tensor;
}
