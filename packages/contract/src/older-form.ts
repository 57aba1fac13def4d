import type { Explanation } from './api/explanations.ts';
import type { Predictions } from './api/predictions.ts';
import type { Rendering } from './api/renderings.ts';
import type { Prediction, Result, Warning } from './result.ts';
import type { AnsweredTarget } from './target.ts';

/**
 * What answers looked like in version 2026-11-01 of the API, and what results of that time look like where they are
 * stored: `score` was the probability by softmax over the classes, a warning was one string, a target had a short form,
 * and nothing named a task. `olderForm` makes that form of an answer of today, for who asks for that version;
 * `currentForm` and `currentResult` make the form of today of what an earlier release has said or stored.
 */

interface Scored {
  readonly probability?: number | undefined;
  readonly score: number | null;
}

/** `score` as it was: the probability. A network that gives none keeps its score. */
const olderScore = <T extends Scored>({ probability, ...rest }: T) => ({
  ...rest,
  score: probability ?? rest.score,
});

/** What was called score was a probability; what was explained was not kept. */
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

const olderTarget = ({ index = 'predicted', terms }: AnsweredTarget) => {
  if (terms) return { terms };
  return index === 'predicted' ? index : { class_index: index };
};

type OlderTarget = 'predicted' | { class_index: number } | { terms: NonNullable<AnsweredTarget['terms']> };

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

/** A stored result, whichever release has written it. */
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

const olderExplanation = ({ task: _, ...explanation }: Explanation): object => ({
  ...explanation,
  target: olderTarget(explanation.target),
  predictions: explanation.predictions.map(olderScore),
  attributions: explanation.attributions.map(olderScore),
  warnings: explanation.warnings.map(olderWarning),
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

/** The likeliest class is what these requests explain, so that its confidence is that of the attribution. */
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

/** An answer of today in the form of version 2026-11-01. What that version had too is left as it is. */
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

/** An answer of a service of an earlier release in the form of today; one of today is left as it is. */
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
