import { InputError } from '../errors.ts';
import { quoted } from './names.ts';

// A file of two-byte messages takes hundreds of times its size once it is parsed. So its memory is estimated first, by
// walking the bytes, and nesting is bounded, before the parser allocates anything.

/** The fields of a message that the survey reads, by field number. */
interface Layout {
  readonly messages?: Readonly<Record<number, () => Layout>>;
  /** Lists of numbers: their bytes of memory per byte of the file. */
  readonly packed?: Readonly<Record<number, number>>;
  /** The field with the message's name, or the name. */
  readonly name?: number | string;
  /** Fields that locate a tensor's data outside the file. */
  readonly elsewhere?: readonly number[];
}

const leaf = (): Layout => ({});
const tensor = (): Layout => ({
  messages: { 13: leaf },
  packed: { 1: 40, 4: 2, 5: 8, 7: 40, 10: 1, 11: 40 },
  name: 8,
  elsewhere: [13, 14],
});
const sparse = (): Layout => ({ messages: { 1: tensor, 2: tensor } });
const attribute = (): Layout => ({
  messages: { 5: tensor, 6: graph, 10: tensor, 11: graph, 22: sparse, 23: sparse },
  packed: { 7: 2, 8: 40 },
  name: 1,
});
const node = (): Layout => ({ messages: { 5: attribute }, name: 3 });
const dimension = (): Layout => ({ messages: { 1: leaf } });
const tensorType = (): Layout => ({ messages: { 2: dimension } });
const valueInfo = (): Layout => ({ messages: { 2: () => ({ messages: { 1: tensorType } }) } });
const graph = (): Layout => ({
  messages: { 1: node, 5: tensor, 11: valueInfo, 12: valueInfo, 13: valueInfo, 15: sparse },
});
const training = (): Layout => ({ messages: { 1: graph, 2: graph }, name: 'training_info' });
const definition = (): Layout => ({ messages: { 7: node, 11: attribute }, name: 1 });
const model = (): Layout => ({ messages: { 7: graph, 8: leaf, 14: leaf, 20: training, 25: definition } });

/** Bytes that the parser takes for a message, and for any other field, about. */
const perMessage = 400;
const perField = 64;
const deepest = 64;
/** Most bytes that are read of a name. */
const longest = 400;

/** The place of a message in the file: its length is written from `lengthAt` on, its fields from `start` to `end`. */
export interface Span {
  readonly lengthAt: number;
  readonly start: number;
  readonly end: number;
}

/** A tensor whose data are in another file. */
export interface ExternalTensor extends Span {
  /** The tensor's name, after the names of the messages around it. */
  readonly name: string;
  /** The messages around the tensor, the outermost first. */
  readonly within: readonly Span[];
}

/**
 * Estimates the bytes of memory that a parsed ONNX file takes beside its own, to the order of magnitude at least.
 * Calls `onExternal` for each tensor, at any depth, whose data are in another file.
 *
 * @throws InputError invalid_model for bytes that are not protobuf, or are nested too deep
 */
export function survey(bytes: Uint8Array, onExternal: (tensor: ExternalTensor) => void): number {
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

  const within: Span[] = [];
  const walk = (span: Span, layout: Layout, depth: number, path: string): void => {
    const { end } = span;
    if (depth > deepest)
      throw new InputError('invalid_model', `the model is nested more than ${deepest} deep`);
    total += perMessage;
    let name = typeof layout.name === 'string' ? layout.name : '';
    let elsewhere = false;
    while (at < end) {
      const tag = varint(end);
      const [field, wire] = [Math.floor(tag / 8), tag % 8];
      let value = 1;
      if (wire === 0) value = varint(end);
      else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire !== 2) throw broken();
      total += perField;
      elsewhere ||= value !== 0 && (layout.elsewhere?.includes(field) ?? false);
      if (wire === 2) {
        const lengthAt = at;
        const length = varint(end);
        const stop = at + length;
        if (stop > end) throw broken();
        if (field === layout.name) name = utf8.decode(bytes.subarray(at, Math.min(stop, at + longest)));
        const inner = layout.messages?.[field];
        const packed = layout.packed?.[field];
        if (inner) {
          within.push(span);
          walk({ lengthAt, start: at, end: stop }, inner(), depth + 1, joined(path, name));
          within.pop();
        } else if (packed) total += length * packed;
        at = stop;
      }
      if (at > end) throw broken();
    }
    // The outermost message is the file itself, which has no length before it.
    if (elsewhere) onExternal({ ...span, name: joined(path, name), within: within.slice(1) });
  };
  walk({ lengthAt: 0, start: 0, end: bytes.length }, model(), 0, '');
  return total;
}

const utf8 = new TextDecoder();
const joined = (path: string, name: string): string => [path, name].filter(Boolean).join('.');

const howToMerge =
  '"whylight models push" and "whylight models add" merge what lies beside the file, or in Python onnx.save(onnx.load("model.onnx"), "merged.onnx")';

export const externalData = (name: string): InputError =>
  new InputError(
    'model_external_data_forbidden',
    `tensor ${quoted(name)} keeps its data in another file; a model must be one file: ${howToMerge}`,
  );
