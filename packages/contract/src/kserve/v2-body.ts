import { KServeFault } from './fault.ts';
import { checkMembers, type Members, objectOf } from './members.ts';
import { binaryTensor, joined, jsonLengthHeader, jsonTensor, type OutputTensor } from './v2-tensor.ts';

/** A body in V2's form: JSON, and behind it the bytes of tensors that are not in the JSON. */
export interface V2Body {
  readonly json: Members;
  readonly binary: Uint8Array;
}

/** JSON text as a value. @param check refuses text before it is parsed. @throws KServeFault, and what `check` throws */
export function jsonOf(bytes: Uint8Array, check?: (text: string) => void): unknown {
  const text = textOf(bytes);
  check?.(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(error);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw notJson(error);
  }
}

const notJson = (error: unknown): KServeFault =>
  new KServeFault(400, `the body: expected JSON in UTF-8; ${(error as Error).message.slice(0, 200)}`);

/** KServe's own client names the model here too; the path decides. */
const bodyMembers = ['id', 'parameters', 'inputs', 'outputs', 'model_name', 'model_version'];

/** @param check as for `jsonOf`. @throws KServeFault */
export function readV2Body(
  bytes: Uint8Array,
  jsonLength: string | undefined,
  check?: (text: string) => void,
): V2Body {
  if (jsonLength !== undefined && !(/^\d{1,9}$/.test(jsonLength) && Number(jsonLength) <= bytes.length))
    throw new KServeFault(
      400,
      `header ${jsonLengthHeader}: expected the number of bytes of the JSON, at most ${bytes.length} (those of the body); got "${jsonLength.slice(0, 20)}"`,
    );
  const end = jsonLength === undefined ? bytes.length : Number(jsonLength);
  const json = objectOf(jsonOf(bytes.subarray(0, end), check), 'the body');
  checkMembers(json, bodyMembers, 'the body');
  if (json.id !== undefined && typeof json.id !== 'string') throw new KServeFault(400, 'id: expected a text');
  return { json, binary: bytes.subarray(end) };
}

interface V2Answer {
  readonly model: string;
  readonly id: unknown;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly outputs: readonly OutputTensor[];
  /** Whether this output is sent in the binary form. */
  readonly isBinary: (output: string) => boolean;
}

/** The answer's body, with the headers that say how to read it. */
export function writeV2Body({ model, id, parameters, outputs, isBinary }: V2Answer): {
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const tails: Uint8Array[] = [];
  const written = outputs.map((output) => {
    if (!isBinary(output.name)) return jsonTensor(output);
    const tail = binaryTensor(output);
    tails.push(tail);
    const { name, datatype, shape } = output;
    return { name, datatype, shape, parameters: { binary_data_size: tail.length } };
  });
  const json = JSON.stringify({
    model_name: model,
    ...(id !== undefined && { id }),
    ...(parameters && { parameters }),
    outputs: written,
  });
  if (tails.length === 0) return { body: json, headers: { 'Content-Type': 'application/json' } };
  const head = new TextEncoder().encode(json);
  return {
    body: joined([head, ...tails]),
    headers: { 'Content-Type': 'application/octet-stream', [jsonLengthHeader]: String(head.length) },
  };
}
