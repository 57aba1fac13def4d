import type { DType } from '../tensor.ts';

/** The element types that Whylight supports, by ONNX's number. */
export const dtypeOfCode: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

export const codeOfDtype = Object.fromEntries(
  Object.entries(dtypeOfCode).map(([code, dtype]) => [dtype, Number(code)]),
) as Readonly<Record<DType, number>>;

export const isFloat = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16';
