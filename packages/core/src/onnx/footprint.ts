import { InputError } from '../errors.ts';

// A file of two-byte messages takes hundreds of times its size once it is parsed. So its memory is estimated first, by
// walking the bytes, and nesting is bounded, before the parser allocates anything.

/** Length-delimited fields of one message that are messages themselves, or lists of numbers. */
interface Layout {
  readonly messages?: Readonly<Record<number, () => Layout>>;
  /** Bytes of memory per byte of the file. */
  readonly packed?: Readonly<Record<number, number>>;
}

const leaf = (): Layout => ({});
const tensor = (): Layout => ({
  messages: { 13: leaf },
  packed: { 1: 40, 4: 2, 5: 8, 7: 40, 10: 1, 11: 40 },
});
const attribute = (): Layout => ({
  messages: { 5: tensor, 6: graph, 10: tensor, 11: graph },
  packed: { 7: 2, 8: 40 },
});
const node = (): Layout => ({ messages: { 5: attribute } });
const dimension = (): Layout => ({ messages: { 1: leaf } });
const tensorType = (): Layout => ({ messages: { 2: dimension } });
const valueInfo = (): Layout => ({ messages: { 2: () => ({ messages: { 1: tensorType } }) } });
const sparse = (): Layout => ({ messages: { 1: tensor } });
const graph = (): Layout => ({
  messages: { 1: node, 5: tensor, 11: valueInfo, 12: valueInfo, 13: valueInfo, 15: sparse },
});
const model = (): Layout => ({ messages: { 7: graph, 8: leaf, 14: leaf, 25: leaf } });

/** About what the parser makes of a message, and of any other field. */
const perMessage = 400;
const perField = 64;
const deepest = 64;

/**
 * Bytes that a parsed ONNX file takes beside its own, at least in order of magnitude.
 *
 * @throws InputError invalid_model for bytes that are not protobuf, or are nested too deep
 */
export function footprint(bytes: Uint8Array): number {
  let at = 0;
  let total = 0;

  const broken = () => new InputError('invalid_model', 'the file is not an ONNX model, or it is truncated');
  const varint = (end: number): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw broken();
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw broken();
  };

  const walk = (end: number, layout: Layout, depth: number): void => {
    if (depth > deepest)
      throw new InputError('invalid_model', `the model is nested more than ${deepest} deep`);
    total += perMessage;
    while (at < end) {
      const tag = varint(end);
      const [field, wire] = [Math.floor(tag / 8), tag % 8];
      if (wire === 0) varint(end);
      else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire !== 2) throw broken();
      total += perField;
      if (wire === 2) {
        const length = varint(end);
        const stop = at + length;
        if (stop > end) throw broken();
        const inner = layout.messages?.[field];
        const packed = layout.packed?.[field];
        if (inner) walk(stop, inner(), depth + 1);
        else if (packed) total += length * packed;
        at = stop;
      }
      if (at > end) throw broken();
    }
  };
  walk(bytes.length, model(), 0);
  return total;
}
