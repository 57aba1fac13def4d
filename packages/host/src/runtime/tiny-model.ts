/** A field of a protobuf message: its number and either a varint or the bytes of its value. */
export type Field = readonly [number: number, value: number | string | Uint8Array];

const encoder = new TextEncoder();

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];

/** Encodes fields in the part of protobuf's wire format that a small graph needs. */
export function message(...fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [Uint8Array.from([...varint(number << 3), ...varint(value)])];
    const bytes = typeof value === 'string' ? encoder.encode(value) : value;
    return [Uint8Array.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes];
  });
  return Buffer.concat(parts);
}

/** ONNX ValueInfo: a tensor of an element type (1: float32), its axes by size or by name. */
export function valueInfo(
  name: string,
  elementType: number,
  shape: readonly (number | string)[],
): Uint8Array {
  const axes = shape.map((axis): Field => [1, message(typeof axis === 'number' ? [1, axis] : [2, axis])]);
  return message([1, name], [2, message([1, message([1, elementType], [2, message(...axes)])])]);
}

/** ONNX ModelProto of a graph's fields, opset 13. */
export const modelOf = (...graph: readonly Field[]): Uint8Array =>
  message([1, 7], [7, message([2, 'graph'], ...graph)], [8, message([2, 13])]);

/** `y = op(x)` with x, y [1]. */
export const unaryModel = (op: string, elementType: number): Uint8Array =>
  modelOf(
    [1, message([1, 'x'], [2, 'y'], [4, op])],
    [11, valueInfo('x', elementType, [1])],
    [12, valueInfo('y', elementType, [1])],
  );

/** `y = Relu(x)`: the graph that shows that an execution provider runs. */
export const tinyModel: Uint8Array = unaryModel('Relu', 1);
