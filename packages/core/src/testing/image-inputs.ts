import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { codeOfDtype } from '../onnx/dtype.ts';
import { ModelSchema, ValueInfoSchema } from '../onnx/generated/onnx_pb.js';
import type { DType } from '../tensor.ts';
import { value } from './onnx-file.ts';

/** Declares a file's input with another shape, in which text leaves a dimension open, or another type. */
export function declared(
  bytes: Uint8Array,
  shape: readonly (number | string)[],
  dtype: DType = 'float32',
): Uint8Array {
  const model = fromBinary(ModelSchema, bytes);
  const [input] = model.graph!.input;
  const { type } = value('image', ...shape);
  const tensorType = { ...type!.tensorType, elemType: codeOfDtype[dtype] };
  model.graph!.input = [create(ValueInfoSchema, { name: input!.name!, type: { tensorType } })];
  model.graph!.valueInfo = [];
  return toBinary(ModelSchema, model);
}
