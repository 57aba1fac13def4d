import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { float, type Node, real } from '../../onnx/graph.ts';
import { float32 } from '../../tensor.ts';
import { madeBy } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises group normalisation: channels reshaped to groups, each normalised as an instance, and reshaped back. */
export const groupNorm: Recogniser = (g, node) => {
  const normal = madeBy(g, node.inputs[0], 'InstanceNormalization', 'LayerNormalization');
  const grouping = madeBy(g, normal?.inputs[0], 'Reshape');
  const x = grouping?.inputs[0];
  if (!normal || !x || (normal.op === 'LayerNormalization' && normal.attributes.axis !== 2)) return undefined;
  const [shape, grouped] = [g.shape(x), g.shape(normal.inputs[0]!)];
  const [batch, channels] = shape as [number, number];
  const groups = grouped[1];
  if (shape.length < 3 || grouped[0] !== batch || !groups || channels % groups !== 0) return undefined;
  const parameters = perChannel(g, normal, channels / groups, shape.length);
  if (!parameters) return undefined;
  const attributes = { num_groups: groups, epsilon: float(real(normal, 'epsilon', 1e-5)) };
  return { op: 'GroupNormalization', inputs: [x, ...parameters], attributes };
};

/** Repeats scale and bias of groups for each of their channels; none if they change nothing. */
function perChannel(
  g: GraphBuilder,
  { op, inputs }: Node,
  channels: number,
  rank: number,
): Value[] | undefined {
  const parameters = inputs.slice(1).map((value) => g.constants.get(value));
  if (parameters.length === 0) return [];
  if (op !== 'InstanceNormalization' || parameters.some((value) => value?.dtype !== 'float32'))
    return undefined;
  const [scale, bias] = parameters.map((value) => [...(value!.data as Float32Array)]);
  if (scale!.every((v) => v === 1) && bias?.every((v) => v === 0)) return [];
  return [scale!, bias!].map((values) =>
    g.constant(
      float32(
        [values.length * channels, ...Array<number>(rank - 2).fill(1)],
        values.flatMap((v) => Array<number>(channels).fill(v)),
      ),
    ),
  );
}
