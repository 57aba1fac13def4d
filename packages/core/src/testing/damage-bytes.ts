import type { Dice } from './dice.ts';

// Damage to a file as bytes: at random, and to fields of the wire format wherever they are nested.

type Damage = (bytes: Uint8Array, dice: Dice, other: Uint8Array) => Uint8Array;

function joined(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Varints of large lengths: 2³¹ - 1, 2³², 2⁶⁴ - 1, and a varint without an end. */
const bombs = [
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  Array<number>(12).fill(0xff),
];

/** Offsets of a field of the wire format: of its tag, its content, its end. */
interface Field {
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** Lists all fields of bytes that may be a message, and of the possible messages inside it. */
function fieldsOf(bytes: Uint8Array, from: number, to: number, depth = 0): Field[] {
  const fields: Field[] = [];
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35 && at < to; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < to) {
    const start = at;
    const wire = varint() % 8;
    let content = at;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      content = at;
      at += length;
    } else return [];
    if (at > to) return [];
    fields.push({ start, content, end: at });
    if (wire === 2 && depth < 6) fields.push(...fieldsOf(bytes, content, at, depth + 1));
  }
  return fields;
}

const atRandom: readonly Damage[] = [
  (bytes, dice) => {
    const flipped = bytes.slice();
    for (let k = dice.below(8); k >= 0; k--) flipped[dice.below(bytes.length)]! ^= 1 << dice.below(8);
    return flipped;
  },
  (bytes, dice) => bytes.with(dice.below(bytes.length), dice.one([0, 1, 0x7f, 0x80, 0xfe, 0xff])),
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length)),
  (bytes, dice, other) =>
    joined(bytes.subarray(0, dice.below(bytes.length)), other.subarray(dice.below(other.length))),
  (bytes, dice) => {
    const [from, to] = [dice.below(bytes.length), dice.below(bytes.length)];
    return joined(bytes.subarray(0, to), bytes.subarray(Math.min(from, to)));
  },
  (bytes, dice) => {
    const at = dice.below(bytes.length);
    return joined(bytes.subarray(0, at), dice.one(bombs), bytes.subarray(at + dice.below(3)));
  },
];

const toFields: readonly ((bytes: Uint8Array, dice: Dice, field: Field, other: Field) => Uint8Array)[] = [
  (bytes, _, { start, end }) => joined(bytes.subarray(0, start), bytes.subarray(end)), // left out
  (bytes, _, { start, end }) => joined(bytes.subarray(0, end), bytes.subarray(start)), // twice
  (bytes, dice, { content }) => bytes.with(content, dice.one([0, 1, 7, 0x7f, 0x80, 0xff])),
  (bytes, dice, { start }) => bytes.with(start, dice.below(256)), // another field, or of another kind
  (bytes, dice, { content }) => bytes.with(content - 1, dice.below(256)), // another length
  (bytes, _, { content, end }, other) =>
    joined(bytes.subarray(0, content), bytes.subarray(other.content, other.end), bytes.subarray(end)),
];

/** Damages the bytes of a model. */
export function damageBytes(bytes: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array {
  if (dice.below(2) === 0) return dice.one(atRandom)(bytes, dice, other);
  const fields = fieldsOf(bytes, 0, bytes.length);
  return dice.one(toFields)(bytes, dice, dice.one(fields), dice.one(fields));
}
