import { InputError } from '../errors.ts';
import { type DType, dtypes, sizeOf, type Tensor, type TensorData } from '../tensor.ts';
import { dtypeOfCode } from './dtype.ts';
import type { TensorDef } from './generated/onnx_pb.js';
import { quoted } from './names.ts';
import { externalData } from './survey.ts';

/**
 * A tensor of the file, in whichever of the format's encodings.
 *
 * @throws InputError model_external_data_forbidden, invalid_model; model_unsupported_op for a type that is not held
 */
export function readTensor(def: TensorDef, name: string): Tensor {
  if ((def.dataLocation ?? 0) !== 0 || def.externalData.length > 0) throw externalData(name);
  const dtype = dtypeOfCode[def.dataType ?? 0];
  if (!dtype)
    throw new InputError(
      isOnnxType(def.dataType ?? 0) ? 'model_unsupported_op' : 'invalid_model',
      `tensor ${quoted(name)} has element type ${def.dataType ?? 0}, which is not supported`,
    );
  if (def.dims.length > 32)
    throw new InputError('invalid_model', `tensor ${quoted(name)} has ${def.dims.length} dimensions`);
  const shape = def.dims.map(Number);
  const size = sizeOf(shape);
  if (shape.some((d) => d < 0 || !Number.isSafeInteger(d)) || !Number.isSafeInteger(size))
    throw new InputError('invalid_model', `tensor ${quoted(name)} has shape [${shape.slice(0, 8)}]`);
  const data = readData(def, dtype, size);
  if (data?.length !== size)
    throw new InputError(
      'invalid_model',
      `tensor ${quoted(name)}: shape [${shape}] needs ${size} elements of ${dtype}, and the file holds other`,
    );
  return { dtype, shape, data };
}

/** Types that ONNX has: texts, complex numbers, floats of 8 and 16 bits, numbers of 2 and 4 bits among them. */
const isOnnxType = (code: number): boolean => code >= 1 && code <= 26;

function readData(def: TensorDef, dtype: DType, size: number): TensorData | undefined {
  if (def.rawData && def.rawData.length > 0) return fromBytes(def.rawData, dtype, size);
  switch (dtype) {
    case 'float32':
      return Float32Array.from(def.floatData);
    case 'float64':
      return Float64Array.from(def.doubleData);
    case 'int64':
      return BigInt64Array.from(def.int64Data);
    case 'uint64':
      return BigUint64Array.from(def.uint64Data);
    case 'uint32':
      return Uint32Array.from(def.uint64Data, Number);
    default:
      return (dtypes[dtype] as Uint8ArrayConstructor).from(def.int32Data) as TensorData;
  }
}

/** A view where the file's alignment allows one, else a copy. */
function fromBytes(raw: Uint8Array, dtype: DType, size: number): TensorData | undefined {
  const Data = dtypes[dtype];
  if (raw.length !== size * Data.BYTES_PER_ELEMENT) return undefined;
  return raw.byteOffset % Data.BYTES_PER_ELEMENT === 0
    ? new Data(raw.buffer as ArrayBuffer, raw.byteOffset, size)
    : new Data(new Uint8Array(raw).buffer, 0, size);
}
