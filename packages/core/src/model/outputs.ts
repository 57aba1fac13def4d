import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/graph.ts';
import { listed, quoted } from '../onnx/names.ts';
import { operators } from '../operators/table.ts';
import type { Warning } from '../warning.ts';
import type { Decision } from './head.ts';
import { namesOther, namesScores } from './output-names.ts';

/** Of a model with more outputs than this, one has to be named. */
const triedOutputs = 16;

/** What is known of an output that was read. */
export interface Candidate {
  readonly output: string;
  readonly head: Decision;
  readonly classes: number;
  /** Whether it only names the highest of the scores that are read in its place. */
  readonly ranks: boolean;
}

/**
 * The output that is likeliest to score classes, of those that `read` does not refuse: a point for each reason counts as
 * written here, and of equals the first wins.
 *
 *  8  as many columns as the model has class names
 *  4  it ends in a softmax, a sigmoid, or a mixture of them
 *  2  it is called logits, probabilities, scores, output, or the like
 * -3  it gives ranks, and the scores behind them are read in its place
 * -4  it is called features, boxes, ranks, or the like
 *
 * @throws what `read` says of the first, if it refuses all
 */
export function likeliestOutput<T extends Candidate>(
  outputs: readonly string[],
  labels: number | undefined,
  read: (output: string) => T,
): T {
  let first: unknown;
  let best: { readonly candidate: T; readonly points: number } | undefined;
  for (const output of outputs.slice(0, triedOutputs))
    try {
      const candidate = read(output);
      const points = pointsOf(candidate, labels);
      if (!best || points > best.points) best = { candidate, points };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      first ??= error;
    }
  if (!best) throw first;
  return best.candidate;
}

function pointsOf({ output, head, classes, ranks }: Candidate, labels: number | undefined): number {
  const { of } = head.source;
  return (
    (labels !== undefined && labels === classes ? 8 : 0) +
    (of === 'number' || of === 'logits' ? 0 : 4) +
    (namesScores(output) ? 2 : 0) -
    (ranks ? 3 : 0) -
    (namesOther(output) ? 4 : 0)
  );
}

/** The value that an output is about: of ranks (ArgMax, TopK) the scores that are ranked. @throws InputError for integers */
export function rankedScores(
  g: GraphBuilder,
  value: Value,
  output: string,
): { value: Value; ranks: boolean } {
  let node = g.maker(value);
  while (node && passes(node)) node = g.maker(node.inputs[0]!);
  if (node?.op === 'TopK' || node?.op === 'ArgMax') return { value: node.inputs[0]!, ranks: true };
  if (g.knows(value) && !isFloat(g.dtype(value)))
    throw new InputError(
      'invalid_model',
      `output ${quoted(output)} is ${g.dtype(value)}: numbers that name classes or count are no scores`,
    );
  return { value, ranks: false };
}

/** Whether an operator gives what it is given, in another shape or type. */
const passes = ({ op }: Node): boolean => op === 'Cast' || operators[op].movement === 'view';

/** What a user should know of the head. */
export function headNotes(
  { head, classes, output, ranks }: Candidate,
  others: readonly string[],
): readonly Warning[] {
  const notes: Warning[] = [];
  const tell = (code: string, message: string) => notes.push({ code, message });
  if (others.length > 0)
    tell('output_chosen', `output ${quoted(output)} is explained; the model also gives ${listed(others)}`);
  if (ranks)
    tell(
      'scores_behind_ranks',
      `output ${quoted(output)} gives only the highest: the scores that these are found among are explained`,
    );
  notes.push(...explainedNote(head, output));
  if (head.task === 'binary' && classes === 1)
    tell('one_output', 'the model has one output: class 0 is what it says, and target -0 is its negation');
  return notes;
}

function explainedNote({ kind, source, node, whole, task }: Decision, output: string): Warning[] {
  const by = node ? `${node.op} (node ${quoted(node.name)})` : 'probabilities';
  const shown = whole === 1 ? '' : `; what it gives is divided by ${Math.round(whole)}`;
  const note = (code: string, message: string) => [{ code, message }];
  switch (source.of) {
    case 'softmax':
      return note(
        'score_before_softmax',
        `the model ends in ${by}: the score before it is explained${shown}`,
      );
    case 'odds':
      return source.picks.some((picked) => picked.node.op.endsWith('Softmax'))
        ? note(
            'log_odds_explained',
            `the model ends in ${by}: the log-odds of what it gives are explained${shown}`,
          )
        : note('score_before_sigmoid', `the model ends in ${by}: the score before it is explained${shown}`);
    case 'mixture':
    case 'probabilities':
      return note(
        'log_odds_explained',
        `the model puts its probabilities together from several: the log-odds of what it gives are explained${shown}`,
      );
    case 'number':
      return note(
        'plain_number',
        `output ${quoted(output)} is ${task === 'regression' ? 'a plain number' : 'plain numbers'}${node ? `, which ${by} bounds` : ''}: it is explained as it is, and shown without a probability`,
      );
    case 'logits':
      return kind === 'sigmoid'
        ? note(
            'logits_of_sigmoids',
            `output ${quoted(output)} is read as logits of sigmoids, one for each class`,
          )
        : [];
  }
}
