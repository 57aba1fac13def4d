import { InputError } from '../errors.ts';
import { type DType, dtypes, type HeldAsBytes, sizeOf, type Tensor, type TensorData } from '../tensor.ts';
import { dtypeOfCode } from './dtype.ts';
import type { TensorDef } from './generated/onnx_pb.js';
import { quoted } from './names.ts';
import { externalData } from './survey.ts';

/**
 * Reads a tensor in any of the format's encodings, from the file or from `beside`, by the location that it names.
 *
 * @throws InputError model_external_data_forbidden, invalid_model; model_unsupported_op for a type that is not held
 */
export function readTensor(
  def: TensorDef,
  name: string,
  beside: ReadonlyMap<string, Uint8Array> = new Map(),
): Tensor {
  const outside = (def.dataLocation ?? 0) !== 0 || def.externalData.length > 0;
  const rawData = outside ? beside.get(locationOf(def)) : def.rawData;
  if (outside && !rawData) throw externalData(name);
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
  const width = dtypes[dtype].BYTES_PER_ELEMENT;
  if (rawData && rawData.length > 0 && rawData.length === size * width && rawData.byteOffset % width !== 0)
    return new UnalignedTensor(dtype, shape, rawData);
  const data = readData(def, rawData, dtype, size);
  if (data?.length !== size)
    throw new InputError(
      'invalid_model',
      `tensor ${quoted(name)}: shape [${shape}] needs ${size} elements of ${dtype}, and the file holds other`,
    );
  return { dtype, shape, data };
}

const locationOf = ({ externalData: entries }: TensorDef): string =>
  entries.find(({ key }) => key === 'location')?.value ?? '';

/** Tells whether ONNX has a type; texts, complex numbers, floats of 8 and 16 bits, numbers of 2 and 4 bits count. */
const isOnnxType = (code: number): boolean => code >= 1 && code <= 26;

function readData(
  def: TensorDef,
  rawData: Uint8Array | undefined,
  dtype: DType,
  size: number,
): TensorData | undefined {
  if (rawData && rawData.length > 0) return fromBytes(rawData, dtype, size);
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

function fromBytes(raw: Uint8Array, dtype: DType, size: number): TensorData | undefined {
  const Data = dtypes[dtype];
  if (raw.length !== size * Data.BYTES_PER_ELEMENT) return undefined;
  return new Data(raw.buffer as ArrayBuffer, raw.byteOffset, size);
}

/**
 * A tensor at an offset in the file at which no typed array can begin, as three of four weights are. Most tensors are
 * only passed on: they keep the bytes of the file, which are copied when their numbers are read.
 */
class UnalignedTensor implements Tensor, HeldAsBytes {
  readonly dtype: DType;
  readonly shape: readonly number[];
  declare readonly data: TensorData;
  readonly #raw: Uint8Array<ArrayBuffer>;

  constructor(dtype: DType, shape: readonly number[], raw: Uint8Array) {
    this.dtype = dtype;
    this.shape = shape;
    this.#raw = new Uint8Array(raw.buffer as ArrayBuffer, raw.byteOffset, raw.byteLength);
    let copy: WeakRef<TensorData> | undefined;
    // An own property, as in other tensors: a copy `{ ...tensor }` gets it too.
    Object.defineProperty(this, 'data', {
      enumerable: true,
      get: () => {
        const known = copy?.deref();
        if (known) return known;
        const made = new dtypes[dtype](new Uint8Array(raw).buffer);
        copy = new WeakRef(made);
        return made;
      },
    });
  }

  /** A getter of the class, not an own property: a copy with other data has other bytes. */
  get raw(): Uint8Array<ArrayBuffer> {
    return this.#raw;
  }
}
