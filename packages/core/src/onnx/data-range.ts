import { InputError } from '../errors.ts';
import { groupBy } from '../group-by.ts';
import { dtypes, sizeOf } from '../tensor.ts';
import { dtypeOfCode } from './dtype.ts';
import type { TensorDef } from './generated/onnx_pb.js';
import { quoted } from './names.ts';
import { overlapOf } from './ranges.ts';
import { invalidData, unsafeLocation } from './refused-data.ts';

/**
 * The files that lie beside a model. They are asked for by plain names only, never for a byte after their end, and
 * only if the model names them. Both methods throw InputError for a file that may not or cannot be read.
 */
export interface FilesBeside {
  sizeOf(name: string): number;
  /** Fills `target` with the file's bytes from `offset` on. */
  read(name: string, offset: number, target: Uint8Array): void;
}

/** The range of a file that holds one tensor's data. */
export interface DataRange {
  readonly tensor: string;
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** Reads in which bytes of which file a tensor's data lie. @throws InputError */
export function rangeOf(def: TensorDef, tensor: string): DataRange {
  const entry = (wanted: string): string | undefined => {
    const [first, second] = def.externalData.filter(({ key }) => key === wanted);
    if (second) throw invalidData(tensor, `it states ${wanted} twice`);
    return first && (first.value ?? '');
  };
  const number = (wanted: string, otherwise: number): number => {
    const text = entry(wanted);
    if (text === undefined) return otherwise;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw invalidData(tensor, `its ${wanted} is ${quoted(text)}, expected a number of bytes`);
  };
  if (def.dataLocation !== 1)
    throw invalidData(tensor, 'it names a file, and says that its data are not there');
  if (holdsData(def)) throw invalidData(tensor, 'it has data in the model as well');
  const file = entry('location');
  if (file === undefined) throw invalidData(tensor, 'it does not say in which file');
  const unsafe = unsafeLocation(file);
  if (unsafe)
    throw new InputError(
      'model_external_data_forbidden',
      `tensor ${quoted(tensor)} keeps its data in ${quoted(file)}, ${unsafe}; only files in the model's own folder are read, by their plain names`,
    );
  const needed = bytesOf(def, tensor);
  const length = number('length', needed);
  if (length !== needed)
    throw invalidData(tensor, `it states ${length} bytes of ${quoted(file)}, and its shape needs ${needed}`);
  return { tensor, file, offset: number('offset', 0), length };
}

const holdsData = (def: TensorDef): boolean =>
  [
    def.rawData ?? [],
    def.floatData,
    def.doubleData,
    def.int32Data,
    def.int64Data,
    def.uint64Data,
    def.stringData,
  ].some(({ length }) => length > 0);

function bytesOf(def: TensorDef, tensor: string): number {
  const dtype = dtypeOfCode[def.dataType ?? 0];
  if (!dtype) throw invalidData(tensor, `its element type ${def.dataType ?? 0} is not supported`);
  const shape = def.dims.map(Number);
  const needed = sizeOf(shape) * dtypes[dtype].BYTES_PER_ELEMENT;
  if (shape.length > 32 || shape.some((d) => !(d >= 0)) || !Number.isSafeInteger(needed))
    throw invalidData(tensor, `its shape is [${shape.slice(0, 8)}]`);
  return needed;
}

/**
 * Checks that no bytes are read twice, except the bytes of tensors that are the same, as tied weights are.
 *
 * @throws InputError for a range that is not in its file, or lies across another
 */
export function checkRanges(ranges: readonly DataRange[], files: FilesBeside): void {
  for (const [file, own] of groupBy(ranges, (range) => range.file)) {
    const size = files.sizeOf(file);
    for (const { tensor, offset, length } of own)
      if (offset + length > size)
        throw invalidData(
          tensor,
          `expected bytes ${offset} to ${offset + length} of ${quoted(file)}, which has ${size}; copy the whole file`,
        );
    const overlap = overlapOf(own);
    if (overlap)
      throw invalidData(
        overlap[1].tensor,
        `its bytes of ${quoted(file)} are partly those of tensor ${quoted(overlap[0].tensor)}`,
      );
  }
}
