import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { EntrySchema, ModelSchema } from '../onnx/generated/onnx_pb.js';

/** Writes a model as PyTorch's exporter does: weights of more than `least` bytes lie in the file `name` beside it. */
export function dataBeside(bytes: Uint8Array, name: string, least = 0) {
  const model = fromBinary(ModelSchema, bytes);
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph!.initializer) {
    const data = tensor.rawData;
    if (!data || data.length <= least) continue;
    const entries = { location: name, offset: String(offset), length: String(data.length) };
    tensor.externalData = Object.entries(entries).map(([key, value]) => create(EntrySchema, { key, value }));
    tensor.dataLocation = 1;
    delete tensor.rawData;
    parts.push(data);
    offset += data.length;
  }
  return { model: toBinary(ModelSchema, model), data: Uint8Array.from(parts.flatMap((part) => [...part])) };
}
