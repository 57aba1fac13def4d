import { InputError } from '../../errors.ts';

/** Most bytes of labels, configurations and metadata: the names of 21 thousand classes take two million bytes. */
export const mostTextBytes = 8 * 2 ** 20;

/** Reads `length` bytes at an offset; fewer at the end. */
type Read = (offset: number, length: number) => Uint8Array;

/** ModelProto.metadata_props, whose entries have a key (1) and a value (2). */
const metadataField = 14;

/** Reads the metadata of an ONNX file in memory. @throws InputError */
export const metadataIn = (bytes: Uint8Array): Map<string, string> =>
  scanMetadata(bytes.length, (offset, length) => bytes.subarray(offset, offset + length));

/**
 * Reads the metadata of a file of `size` bytes and skips the network in it. Bytes that are not protobuf end the scan:
 * the code that reads the network reports them. @throws InputError
 */
export function scanMetadata(size: number, read: Read): Map<string, string> {
  const entries = new Map<string, string>();
  let total = 0;
  for (const { field, start, length } of fieldsOf(size, read)) {
    if (field !== metadataField) continue;
    total += length + 1;
    if (total > mostTextBytes)
      throw new InputError(
        'invalid_model',
        `metadata: expected at most ${mostTextBytes} bytes in all, got more`,
      );
    const [key, value] = entryIn(read(start, length));
    entries.set(key, value);
  }
  return entries;
}

function entryIn(bytes: Uint8Array): [key: string, value: string] {
  const texts: [string, string] = ['', ''];
  const read: Read = (offset, length) => bytes.subarray(offset, offset + length);
  for (const { field, start, length } of fieldsOf(bytes.length, read))
    if (field === 1 || field === 2) texts[field - 1] = new TextDecoder().decode(read(start, length));
  return texts;
}

interface Field {
  readonly field: number;
  readonly start: number;
  readonly length: number;
}

/** Most fields: a file has about ten, and an entry for each remark; a file with more is made to take long. */
const mostFields = 100_000;

/** Yields the fields that have a length, as far as the bytes are protobuf. */
function* fieldsOf(size: number, read: Read): Generator<Field> {
  for (let at = 0, seen = 0; at < size && seen < mostFields; seen++) {
    // A tag and a length have at most ten bytes each.
    const head = read(at, 20);
    const tag = varint(head, 0);
    if (!tag) return;
    const [field, kind] = [Math.floor(tag.value / 8), tag.value % 8];
    at += tag.end;
    if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 0 || kind === 2) {
      const number = varint(head, tag.end);
      if (!number) return;
      at += number.end - tag.end;
      if (kind === 0) continue;
      if (number.value > size - at) return;
      yield { field, start: at, length: number.value };
      at += number.value;
    } else return;
  }
}

function varint(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte % 128) * 128 ** i;
    if (byte < 128) return { value, end: at + i + 1 };
  }
  return undefined;
}
