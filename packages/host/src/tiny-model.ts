/** A field of a protobuf message: its number and either a varint or the bytes of its value. */
type Field = readonly [number: number, value: number | string | Uint8Array];

const encoder = new TextEncoder();

/** Enough of protobuf to write the graph below: values under 128 bytes, so that each length is one byte. */
const message = (...fields: Field[]): Uint8Array =>
  Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [number << 3, value];
      const bytes = typeof value === 'string' ? encoder.encode(value) : value;
      return [(number << 3) | 2, bytes.length, ...bytes];
    }),
  );

const vector = (name: string, elementType: number): Uint8Array =>
  message([1, name], [2, message([1, message([1, elementType], [2, message([1, message([1, 1])])])])]);

/** ONNX `y = op(x)` with x, y [1] of an ONNX element type (1: float32), opset 13. */
export const unaryModel = (op: string, elementType: number): Uint8Array => {
  const node = message([1, 'x'], [2, 'y'], [4, op]);
  const graph = message(
    [1, node],
    [2, 'tiny'],
    [11, vector('x', elementType)],
    [12, vector('y', elementType)],
  );
  return message([1, 7], [7, graph], [8, message([2, 13])]);
};

/** `y = Relu(x)`: what shows that an execution provider runs. */
export const tinyModel: Uint8Array = unaryModel('Relu', 1);
