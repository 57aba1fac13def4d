import type { ExternalTensor, Span } from './survey.ts';

/** The replacement of one message: its fields, followed by `room` bytes of raw data. */
export interface Edit {
  readonly place: ExternalTensor;
  readonly content: Uint8Array;
  readonly room: number;
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly put: Uint8Array;
}

/** The tag of a tensor's `raw_data`: field 9, length-delimited. */
const rawData = 9 * 8 + 2;

/** Bytes of the new file, or the index of the edit whose room comes next. */
export type Part = Uint8Array | number;

/** Replaces messages of the file and returns it in parts. `edits` are in the file's order. */
export function spliced(bytes: Uint8Array, edits: readonly Edit[]): Part[] {
  const growth = new Map<number, { readonly span: Span; readonly depth: number; by: number }>();
  const grow = (within: readonly Span[], by: number) => {
    const span = within.at(-1);
    if (!span) return;
    const known = growth.get(span.lengthAt);
    if (known) known.by += by;
    else growth.set(span.lengthAt, { span, depth: within.length, by });
  };
  const chains = new Map<number, readonly Span[]>();
  const pieces: Piece[] = edits.map(({ place, content, room }) => {
    for (const [i, span] of place.within.entries()) chains.set(span.lengthAt, place.within.slice(0, i));
    const head = room > 0 ? [rawData, ...varint(room)] : [];
    const put = concatenated(varint(content.length + head.length + room), content, head);
    grow(place.within, put.length + room - (place.end - place.lengthAt));
    return { from: place.lengthAt, to: place.end, put };
  });
  // A message grows with its content, and with its length field if that takes more bytes: the innermost come first.
  const deepest = edits.reduce((depth, { place }) => Math.max(depth, place.within.length), 0);
  for (let depth = deepest; depth > 0; depth--)
    for (const { span, by } of Array.from(growth.values()).filter((g) => g.depth === depth)) {
      const put = Uint8Array.from(varint(span.end - span.start + by));
      grow(chains.get(span.lengthAt)!, by + put.length - (span.start - span.lengthAt));
      pieces.push({ from: span.lengthAt, to: span.start, put });
    }
  const order = new Map(edits.map(({ place }, i) => [place.lengthAt, i] as const));
  const parts: Part[] = [];
  let read = 0;
  for (const { from, to, put } of pieces.sort((a, b) => a.from - b.from)) {
    const edit = order.get(from);
    parts.push(bytes.subarray(read, from), put, ...(edit === undefined ? [] : [edit]));
    read = to;
  }
  return [...parts, bytes.subarray(read)];
}

/** Joins the parts into one file, and returns the room of each edit in it. */
export function joined(
  parts: readonly Part[],
  edits: readonly Edit[],
): { readonly whole: Uint8Array<ArrayBuffer>; readonly rooms: readonly Uint8Array<ArrayBuffer>[] } {
  const sizeOf = (part: Part) => (typeof part === 'number' ? edits[part]!.room : part.length);
  const whole = new Uint8Array(parts.reduce<number>((sum, part) => sum + sizeOf(part), 0));
  const rooms: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'number') rooms[part] = whole.subarray(at, at + sizeOf(part));
    else whole.set(part, at);
    at += sizeOf(part);
  }
  return { whole, rooms };
}

function concatenated(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
