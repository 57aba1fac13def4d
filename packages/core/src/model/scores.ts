import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, mul, neg, number, reshape, scale, shift, sub, unsqueeze, where } from '../onnx/emit.ts';
import type { Node } from '../onnx/graph.ts';
import { printable, quoted } from '../onnx/names.ts';
import type { ScoreKind } from '../targets.ts';
import { sizeOf } from '../tensor.ts';
import { type Decision, type Picked, softmaxAxis } from './head.ts';

/** A float32 probability further from 0 and 1 than this has finite log-odds. */
const closest = 1e-7;

/** The scores of a network of every kind, [rows, classes], from its output and what the head is. */
export class Scores {
  /** What is explained unless another score is asked for: before the last squashing function. */
  readonly logits: Value;
  private readonly g: GraphBuilder;
  private readonly output: Value;
  private readonly head: Decision;

  /** @param output [rows, classes] as the model gives it */
  constructor(g: GraphBuilder, output: Value, head: Decision) {
    this.g = g;
    this.output = output;
    this.head = head;
    this.logits = this.squashedScores();
  }

  /** The model's own probabilities; `null` where its output is none. */
  probabilities(): Value | null {
    const { g, output, head } = this;
    if (head.source.of === 'number') return null;
    if (head.source.of === 'logits')
      return head.kind === 'softmax'
        ? g.emit('Softmax', [output], { axis: -1 })
        : g.emit('Sigmoid', [output]);
    return scale(g, head.logarithm ? g.emit('Exp', [output]) : output, 1 / head.whole);
  }

  /** @throws InputError `invalid_parameter` for a score that the output does not have */
  of(kind: ScoreKind): Value {
    const { g, logits } = this;
    switch (kind) {
      case 'logit':
        return logits;
      case 'output':
        return this.output;
      case 'probability':
      case 'softmax':
        return this.probabilities() ?? this.refuse(kind);
      case 'log-probability':
      case 'log-softmax':
        return this.logProbabilities(kind);
      case 'rest':
        return add(g, logits, this.logProbabilities(kind));
      case 'log-odds':
        return this.logOdds();
    }
  }

  private refuse(kind: ScoreKind): never {
    throw new InputError(
      'invalid_parameter',
      `score "${kind}": the output is a plain number, not a probability; use score logit or output, which are that number`,
    );
  }

  private squashedScores(): Value {
    const { g, output, head } = this;
    const { source } = head;
    switch (source.of) {
      case 'logits':
      case 'number':
        return output;
      case 'softmax':
        return picked(g, source.node.inputs[0]!, source.elements, output);
      case 'odds':
        return this.odds(source.picks);
      case 'mixture': {
        const logarithms = (sign: 1 | -1) =>
          logSum(
            g,
            source.members.map(({ share, picks }) =>
              shift(g, logSigmoid(g, scale(g, this.odds(picks), sign)), Math.log(share)),
            ),
          );
        return sub(g, logarithms(1), logarithms(-1));
      }
      case 'probabilities':
        return this.directOdds();
    }
  }

  /** log p - log(1 - p) of the output itself. */
  private directOdds(): Value {
    const { g } = this;
    const p = g.emit('Clip', [this.probabilities()!, g.scalar(closest), g.scalar(1 - closest)]);
    return sub(g, g.emit('Log', [p]), g.emit('Log', [sub(g, g.scalar(1), p)]));
  }

  /** What each number was before it was squashed: a sigmoid's score, a softmax's log-odds. */
  private odds(picks: readonly Picked[]): Value {
    const { g, output } = this;
    const nodes = [...new Set(picks.map(({ node }) => node))];
    const values = nodes.map((node) => flat(g, oddsOf(g, node), output));
    const sizes = values.map((value) => g.shape(value)[1]!);
    const start = (node: Node) => sizes.slice(0, nodes.indexOf(node)).reduce((a, b) => a + b, 0);
    const all = values.length === 1 ? values[0]! : g.emit('Concat', values, { axis: 1 });
    const taken = picked(
      g,
      all,
      picks.map(({ node, element }) => start(node) + element),
      output,
    );
    if (picks.every(({ sign }) => sign === 1)) return taken;
    return mul(
      g,
      taken,
      g.floats(
        [1, picks.length],
        picks.map(({ sign }) => sign),
      ),
    );
  }

  private logProbabilities(kind: ScoreKind): Value {
    const { g, head, logits } = this;
    const { source } = head;
    if (source.of === 'number') return this.refuse(kind);
    if (head.kind === 'softmax' && source.of !== 'softmax')
      return g.emit('LogSoftmax', [logits], { axis: -1 });
    if (source.of === 'softmax') {
      const { axis } = softmaxAxis(g, source.node);
      const whole = g.emit('LogSoftmax', [source.node.inputs[0]!], { axis });
      return picked(g, whole, source.elements, this.output);
    }
    return logSigmoid(g, this.logOdds());
  }

  private logOdds(): Value {
    const { g, head, logits } = this;
    const { source } = head;
    if (source.of === 'number') return this.refuse('log-odds');
    if (source.of === 'softmax') {
      const { axis } = softmaxAxis(g, source.node);
      return picked(g, softmaxOdds(g, source.node.inputs[0]!, axis), source.elements, this.output);
    }
    if (head.kind === 'softmax') return softmaxOdds(g, logits, 1);
    const bent = source.of === 'odds' && source.picks.some(({ node }) => node.op === 'HardSigmoid');
    return bent ? this.directOdds() : logits;
  }
}

const logSigmoid = (g: GraphBuilder, z: Value): Value => neg(g, g.emit('Softplus', [neg(g, z)]));

/** log Σ e^v over values of one shape. */
function logSum(g: GraphBuilder, values: readonly Value[]): Value {
  const stacked = g.emit(
    'Concat',
    values.map((value) => unsqueeze(g, value, [0])),
    { axis: 0 },
  );
  return g.emit('ReduceLogSumExp', [stacked, g.ints([0])], { keepdims: 0 });
}

function oddsOf(g: GraphBuilder, node: Node): Value {
  const [z] = node.inputs as [Value];
  if (node.op === 'Softmax' || node.op === 'LogSoftmax') return softmaxOdds(g, z, softmaxAxis(g, node).axis);
  return node.op === 'Tanh' ? scale(g, z, 2) : z;
}

/**
 * z_c - log Σ_{k≠c} e^{z_k} along an axis. Of the only class that can have more than half, the sum is taken over the others;
 * of the rest it is log p - log(1 - p), which is exact where p is small.
 */
function softmaxOdds(g: GraphBuilder, z: Value, axis: number): Value {
  if (g.shape(z)[axis] === 2) return sub(g, z, g.emit('Gather', [z, g.ints([1, 0])], { axis }));
  const p = g.emit('Softmax', [z], { axis });
  const half = number(g, 0.5, z);
  const most = g.emit('Greater', [p, half]);
  const others = g.emit('ReduceLogSumExp', [where(g, most, number(g, -1e30, z), z), g.ints([axis])], {
    keepdims: 1,
  });
  const rest = g.emit('Log', [sub(g, number(g, 1, z), where(g, most, half, p))]);
  return where(g, most, sub(g, z, others), sub(g, g.emit('LogSoftmax', [z], { axis }), rest));
}

/** [rows, numbers of one image] */
function flat(g: GraphBuilder, value: Value, output: Value): Value {
  const each = sizeOf(g.factOf(value)!.shape) / g.factOf(output)!.shape[0]!;
  return reshape(g, value, [g.shape(output)[0]!, each]);
}

/** Some of the numbers of each image, [rows, picked]; the value itself where these are all in order. */
function picked(g: GraphBuilder, value: Value, elements: readonly number[], output: Value): Value {
  const all = flat(g, value, output);
  const whole = elements.length === g.shape(all)[1] && elements.every((element, i) => element === i);
  return whole ? all : g.emit('Gather', [all, g.ints(elements)], { axis: 1 });
}

/** An output that has no score for each class. Another number of it may be explained. */
export class NoClassScores extends InputError {
  /** The output, where a number of it can be explained. */
  readonly output: string | undefined;

  constructor(output: string, shape: readonly number[], aligned: boolean) {
    const got = `output ${quoted(output)} is [${shape.map((d) => (d < 0 ? 'batch' : d))}]`;
    const isMap = shape.length >= 3 && shape.slice(1).filter((d) => d > 1).length >= 2;
    const instead = aligned
      ? `; to explain a number of it, ask for one (on the command line: --score output:${printable(output)}.sum${isMap ? ', or of a segmenter --region predicted --target CLASS' : ''})`
      : '';
    super('invalid_model', `expected scores [batch, classes], one row for each image; ${got}${instead}`);
    this.output = aligned ? output : undefined;
  }
}

/**
 * [N, C], from [N], [N, C] or [N, …] with ones beside the classes, a row for each image if these are given.
 *
 * @throws InputError
 */
export function flatScores(g: GraphBuilder, score: Value, output: string, image: Value | undefined): Value {
  const shape = g.shape(score);
  const rest = shape.slice(1).filter((d) => d !== 1);
  const aligned = image === undefined || shape[0] === g.shape(image)[0];
  if (shape.length < 1 || rest.length > 1 || rest.some((d) => d <= 0) || !aligned)
    throw new NoClassScores(output, shape, aligned);
  return shape.length === 2 ? score : reshape(g, score, [shape[0]!, rest[0] ?? 1]);
}
