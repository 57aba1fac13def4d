import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/graph.ts';
import { listed, quoted } from '../onnx/names.ts';
import { operators } from '../operators/table.ts';
import type { Warning } from '../warning.ts';
import type { Decision } from './head.ts';
import { namesOther, namesScores } from './output-names.ts';
import { NoClassScores } from './scores.ts';

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
      // What can be explained in another way says more.
      if (error instanceof NoClassScores && !(first instanceof NoClassScores)) first = error;
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
      `output ${quoted(output)} has type ${g.dtype(value)}: whole numbers are class indices or counts, not scores; choose an output of floating-point scores`,
    );
  return { value, ranks: false };
}

/** Whether an operator gives what it is given, in another shape or type. */
const passes = ({ op }: Node): boolean => op === 'Cast' || operators[op].movement === 'view';

/** What a user should know of the head. */
export function headNotes(
  { head, classes, output, ranks }: Candidate,
  others: readonly string[],
  ofRegion = false,
): readonly Warning[] {
  const notes: Warning[] = [];
  const tell = (code: string, message: string) => notes.push({ code, message });
  if (others.length > 0)
    tell(
      'output_chosen',
      `output ${quoted(output)} holds the ${ofRegion ? 'maps of the classes' : 'scores'}; the model also has ${listed(others)}`,
    );
  if (ranks && !ofRegion)
    tell(
      'scores_behind_ranks',
      `output ${quoted(output)} holds only the class with the highest score; the explained scores are all those that it is chosen from`,
    );
  if (!ofRegion) notes.push(...explainedNote(head, output));
  if (head.task === 'binary' && classes === 1 && !ofRegion)
    tell(
      'one_output',
      'the model has one output: target 0 explains what raises it, target -0 what lowers it',
    );
  return notes;
}

function explainedNote({ kind, source, node, whole, task }: Decision, output: string): Warning[] {
  const by = node ? `${node.op} (node ${quoted(node.name)})` : 'probabilities';
  const shown = whole === 1 ? '' : `; its output is a probability times ${Math.round(whole)}`;
  const note = (code: string, message: string) => [{ code, message }];
  switch (source.of) {
    case 'softmax':
      return note(
        'score_before_softmax',
        `the model ends in ${by}; the explained score is the value before it, the logit${shown}`,
      );
    case 'odds':
      return source.picks.some((picked) => picked.node.op.endsWith('Softmax'))
        ? note(
            'log_odds_explained',
            `the model ends in ${by}; the explained score is the log-odds of each probability${shown}`,
          )
        : note(
            'score_before_sigmoid',
            `the model ends in ${by}; the explained score is the value before it, the logit${shown}`,
          );
    case 'mixture':
    case 'probabilities':
      return note(
        'log_odds_explained',
        `the model computes each probability from several others; the explained score is the log-odds of the result${shown}`,
      );
    case 'number':
      return note(
        'plain_number',
        `output ${quoted(output)} is ${task === 'regression' ? 'a plain number' : 'plain numbers'}${node ? ` that ${by} bounds` : ''}, not a probability; the explained score is the number itself`,
      );
    case 'logits':
      return kind === 'sigmoid'
        ? note(
            'logits_of_sigmoids',
            `output ${quoted(output)} holds logits; each class has a probability of its own, the sigmoid of its logit`,
          )
        : [];
  }
}
