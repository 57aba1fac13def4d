import type { ExternalTensor, Span } from './survey.ts';

/** What takes the place of one message: its fields, and behind them `room` bytes of raw data. */
export interface Edit {
  readonly place: ExternalTensor;
  readonly content: Uint8Array;
  readonly room: number;
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly put: Uint8Array;
  readonly room: number;
}

/** `raw_data` of a tensor: field 9, its length before it. */
const rawData = 9 * 8 + 2;

/** The file with messages replaced, and where the room of each begins. `edits` are in the file's order. */
export function spliced(
  bytes: Uint8Array,
  edits: readonly Edit[],
): { readonly merged: Uint8Array<ArrayBuffer>; readonly holes: readonly number[] } {
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
    return { from: place.lengthAt, to: place.end, put, room };
  });
  // A message grows by what is in it, and by its own length where that takes more bytes: the innermost come first.
  const deepest = edits.reduce((depth, { place }) => Math.max(depth, place.within.length), 0);
  for (let depth = deepest; depth > 0; depth--)
    for (const { span, by } of Array.from(growth.values()).filter((g) => g.depth === depth)) {
      const put = Uint8Array.from(varint(span.end - span.start + by));
      grow(chains.get(span.lengthAt)!, by + put.length - (span.start - span.lengthAt));
      pieces.push({ from: span.lengthAt, to: span.start, put, room: 0 });
    }
  return joined(
    bytes,
    pieces.sort((a, b) => a.from - b.from),
    new Set(edits.map(({ place }) => place.lengthAt)),
  );
}

function joined(bytes: Uint8Array, pieces: readonly Piece[], edited: ReadonlySet<number>) {
  const change = pieces.reduce((sum, { from, to, put, room }) => sum + put.length + room - (to - from), 0);
  const merged = new Uint8Array(bytes.length + change);
  const holes: number[] = [];
  let read = 0;
  let at = 0;
  const copy = (part: Uint8Array) => {
    merged.set(part, at);
    at += part.length;
  };
  for (const { from, to, put, room } of pieces) {
    copy(bytes.subarray(read, from));
    copy(put);
    if (edited.has(from)) holes.push(at);
    at += room;
    read = to;
  }
  copy(bytes.subarray(read));
  return { merged, holes };
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
