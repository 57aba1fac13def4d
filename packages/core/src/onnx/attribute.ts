import { InputError } from '../errors.ts';
import { type AttributeDef, AttributeDef_Type } from './generated/onnx_pb.js';
import type { Attribute } from './graph.ts';
import { quoted } from './names.ts';
import { readTensor } from './tensor-data.ts';

/** @throws InputError invalid_model for an attribute of a type that is not held */
export function readAttribute(attribute: AttributeDef, node: string): Attribute | undefined {
  switch (attribute.type || typeByContent(attribute)) {
    case AttributeDef_Type.FLOAT:
      return { float: attribute.f ?? 0 };
    case AttributeDef_Type.INT:
      return Number(attribute.i ?? 0n);
    case AttributeDef_Type.STRING:
      return decode(attribute.s);
    case AttributeDef_Type.FLOATS:
      return { floats: attribute.floats };
    case AttributeDef_Type.INTS:
      return attribute.ints.map(Number);
    case AttributeDef_Type.STRINGS:
      return attribute.strings.map(decode);
    case AttributeDef_Type.TENSOR:
      return attribute.t ? { tensor: readTensor(attribute.t, `${node}.${attribute.name}`) } : undefined;
    default:
      throw new InputError(
        'invalid_model',
        `node ${quoted(node)}: attribute ${quoted(attribute.name ?? '')} has an unsupported type`,
      );
  }
}

/** Tells the type from the content: very old files do not state it. */
function typeByContent(attribute: AttributeDef): AttributeDef_Type {
  if (attribute.f !== undefined) return AttributeDef_Type.FLOAT;
  if (attribute.i !== undefined) return AttributeDef_Type.INT;
  if (attribute.s !== undefined) return AttributeDef_Type.STRING;
  if (attribute.t !== undefined) return AttributeDef_Type.TENSOR;
  if (attribute.floats.length > 0) return AttributeDef_Type.FLOATS;
  return attribute.strings.length > 0 ? AttributeDef_Type.STRINGS : AttributeDef_Type.INTS;
}

const utf8 = new TextDecoder();
const decode = (bytes: Uint8Array | undefined): string => utf8.decode(bytes ?? new Uint8Array());
