import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelSchema } from '../onnx/generated/onnx_pb.js';
import { damageBytes } from './damage-bytes.ts';
import { damageFields } from './damage-fields.ts';
import { Dice } from './dice.ts';

/** Damages one of the models, as the seed decides: a third of them as bytes, the others field by field. */
export function damaged(models: readonly Uint8Array[], seed: number): Uint8Array {
  const dice = new Dice(seed);
  const [bytes, other] = [dice.one(models), dice.one(models)];
  if (dice.below(3) === 0) return damageBytes(bytes, dice, other);
  const model = fromBinary(ModelSchema, bytes);
  damageFields(model, dice, fromBinary(ModelSchema, other));
  return toBinary(ModelSchema, model);
}
