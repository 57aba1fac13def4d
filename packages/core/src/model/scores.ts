import { InputError } from '../errors.ts';
import type { GraphBuilder, Shape, Value } from '../onnx/builder.ts';
import { reshape } from '../onnx/emit.ts';
import type { Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { operators } from '../operators/table.ts';

/** Whether an operator gives what it is given, in another shape or type. */
const passes = ({ op }: Node): boolean => op === 'Cast' || operators[op].movement === 'view';

/** The score that a final Softmax was given, or the output itself. */
export function scoreBefore(g: GraphBuilder, output: Value): { score: Value; softmax: Node | undefined } {
  let maker = g.maker(output);
  while (maker && passes(maker)) maker = g.maker(maker.inputs[0]!);
  return maker?.op === 'Softmax' || maker?.op === 'LogSoftmax'
    ? { score: maker.inputs[0]!, softmax: maker }
    : { score: output, softmax: undefined };
}

/** [N, C], from [N, C] or [N, C, 1, 1], a row for each image if these are given. @throws InputError */
export function flatScores(g: GraphBuilder, score: Value, output: string, image: Value | undefined): Value {
  const shape: Shape = g.shape(score);
  const rest = shape.slice(1).filter((d) => d !== 1);
  const aligned = image === undefined || shape[0] === g.shape(image)[0];
  if (shape.length < 2 || rest.length > 1 || rest.some((d) => d <= 0) || !aligned)
    throw new InputError(
      'invalid_model',
      `a classifier scores [batch, classes], a row for each image; output ${quoted(output)} is [${shape.map((d) => (d < 0 ? 'batch' : d))}]`,
    );
  return shape.length === 2 ? score : reshape(g, score, [shape[0]!, rest[0] ?? 1]);
}
