import type { Explanation } from './api/explanations.ts';
import type { Predictions } from './api/predictions.ts';
import type { Rendering } from './api/renderings.ts';
import type { Prediction, Result, Warning } from './result.ts';
import type { AnsweredClassTarget, AnsweredTarget } from './target.ts';

/**
 * Converts answers and stored results between the current form and the form of API version 2026-11-01. In that version
 * `score` was the softmax probability, a warning was one string, a target had a short form, nothing named a task, and a
 * lack of memory was always called a GPU's.
 * `olderForm` converts a current answer for clients that ask for that version. `currentForm` and `currentResult` convert what
 * an earlier release has answered or stored.
 */

interface Scored {
  readonly probability?: number | undefined;
  readonly score: number | null;
}

/** Puts the probability into `score`, as that version did. Without a probability the score stays. */
const olderScore = <T extends Scored>({ probability, ...rest }: T) => ({
  ...rest,
  score: probability ?? rest.score,
});

/** Moves the probability out of `score`: that version stored it there, and did not store the score. */
const currentScore = <T extends Scored>(scored: T): T =>
  scored.probability === undefined && scored.score !== null
    ? { ...scored, probability: scored.score, score: null }
    : scored;

const olderWarning = ({ code, message }: Warning): string => `${code}: ${message}`;

/** `code: message`; some notes had no code. */
function currentWarning(warning: Warning | string): Warning {
  if (typeof warning !== 'string') return warning;
  const [, code = 'note', message = warning] = /^([a-z_]+): (.*)$/s.exec(warning) ?? [];
  return { code, message };
}

export const currentWarnings = (warnings: readonly (Warning | string)[]): Warning[] =>
  warnings.map(currentWarning);

/** This release has no other kind of target than a class. */
const olderTarget = (target: AnsweredTarget) => {
  const { index = 'predicted', terms } = target as AnsweredClassTarget;
  if (terms) return { terms };
  return index === 'predicted' ? index : { class_index: index };
};

type OlderTarget =
  | 'predicted'
  | { class_index: number }
  | { terms: NonNullable<AnsweredClassTarget['terms']> };

function currentTarget(target: AnsweredTarget | OlderTarget): AnsweredTarget {
  if (typeof target === 'object' && 'type' in target) return target;
  const score = 'logit';
  if (target === 'predicted') return { type: 'class', index: target, score };
  return 'terms' in target
    ? { type: 'class', terms: target.terms, score }
    : { type: 'class', index: target.class_index, score };
}

type Older = Omit<Result, 'task' | 'warnings'> & {
  readonly task?: Result['task'];
  readonly warnings: readonly (Warning | string)[];
};

/** Reads a stored result of any release. */
export function currentResult(stored: Result | Older): Result {
  const { task = 'multiclass', target, predictions, warnings }: Older = stored;
  const read = 'task' in stored ? <T>(scored: T): T => scored : currentScore<Prediction>;
  return {
    ...stored,
    task,
    target: read(target),
    predictions: predictions.map(read),
    warnings: currentWarnings(warnings),
  };
}

/** That version knew no other lack of memory than a GPU's. */
const olderError = (error: Explanation['error']): Explanation['error'] =>
  error?.code === 'out_of_memory' ? { ...error, code: 'gpu_out_of_memory' } : error;

const olderExplanation = ({ task: _, ...explanation }: Explanation): object => ({
  ...explanation,
  target: olderTarget(explanation.target),
  predictions: explanation.predictions.map(olderScore),
  attributions: explanation.attributions.map(olderScore),
  warnings: explanation.warnings.map(olderWarning),
  error: olderError(explanation.error),
});

const olderPredictions = ({ task: _, ...answer }: Predictions): object => ({
  ...answer,
  predictions: answer.predictions.map(olderScore),
  warnings: answer.warnings.map(olderWarning),
});

interface KserveAnswer {
  readonly predictions: readonly (readonly Scored[])[];
  readonly explanations: readonly { readonly target: Scored }[];
}

interface VertexAnswer {
  readonly explanations: readonly { readonly attributions: readonly object[] }[];
  readonly predictions: readonly { readonly confidences: readonly (number | null)[] }[];
}

const olderKserve = (answer: KserveAnswer): object => ({
  ...answer,
  predictions: answer.predictions.map((instance) => instance.map(olderScore)),
  explanations: answer.explanations.map((one) => ({ ...one, target: olderScore(one.target) })),
});

/** These requests explain the most likely class, so its confidence is the value of the attribution. */
const olderVertex = (answer: VertexAnswer): object => ({
  ...answer,
  explanations: answer.explanations.map((one, instance) => ({
    ...one,
    attributions: one.attributions.map((attribution) => ({
      ...attribution,
      instanceOutputValue: answer.predictions[instance]!.confidences[0],
    })),
  })),
});

/** Converts a current answer to the form of version 2026-11-01. */
export function olderForm(answer: object): object {
  const { object, data } = answer as { object?: unknown; data?: object[] };
  if (object === 'list') return { ...answer, data: data!.map(olderForm) };
  if (object === 'explanation') return olderExplanation(answer as Explanation);
  if (object === 'predictions') return olderPredictions(answer as Predictions);
  if (object === 'rendering')
    return { ...answer, warnings: (answer as Rendering).warnings.map(olderWarning) };
  if (object === 'model') {
    const { task: _, ...model } = answer as { task?: unknown };
    return model;
  }
  if ('explanations' in answer && 'predictions' in answer)
    return 'deployedModelId' in answer
      ? olderVertex(answer as unknown as VertexAnswer)
      : olderKserve(answer as unknown as KserveAnswer);
  return answer;
}

/** Converts an answer of an earlier release to the current form. A current answer stays as it is. */
export function currentForm(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  const { object, data } = answer as { object?: unknown; data?: unknown[] };
  if (object === 'list') return { ...answer, data: data?.map(currentForm) };
  if (object === 'rendering') return { ...answer, warnings: currentWarnings((answer as Rendering).warnings) };
  if ((object !== 'explanation' && object !== 'predictions') || 'task' in answer) return answer;
  const older = answer as Explanation;
  return {
    ...answer,
    task: older.predictions.length > 0 ? 'multiclass' : null,
    predictions: older.predictions.map(currentScore),
    warnings: currentWarnings(older.warnings),
    ...(object === 'explanation' && {
      target: currentTarget(older.target),
      attributions: older.attributions.map(currentScore),
    }),
  };
}
