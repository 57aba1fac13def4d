import { dtypeOfCode } from './dtype.ts';
import type { ValueInfo as ValueInfoDef } from './generated/onnx_pb.js';
import type { ValueInfo } from './graph.ts';
import { printable } from './names.ts';

/** Reads what the file states of a value; `undefined` if it is no tensor or of an unsupported type. */
export function valueInfoOf(info: ValueInfoDef): ValueInfo | undefined {
  const type = info.type?.tensorType;
  const dtype = dtypeOfCode[type?.elemType ?? 0];
  if (!type || !dtype) return undefined;
  const shape = (type.shape?.dim ?? []).map((d, i) =>
    d.dimValue !== undefined && d.dimValue > 0n ? Number(d.dimValue) : printable(d.dimParam || `dim${i}`),
  );
  return { name: info.name ?? '', dtype, shape };
}
