import type { Method } from './methods/method.ts';
import type { Outcome } from './programs/outcome.ts';
import type { ScoreKind } from './targets.ts';
import { row } from './tensor.ts';
import type { Warning } from './warning.ts';

/** A map or attribution whose largest value is below this shows rounding. */
const faint = 1e-9;
/** A probability this near to 0 or 1 hardly changes with the image. */
const saturated = 1e-4;
const faintOfSaturated = 1e-6;

const flattening: ReadonlySet<ScoreKind> = new Set([
  'probability',
  'softmax',
  'output',
  'log-probability',
  'log-softmax',
]);

/** Warns if the attribution of row `n` of an outcome is empty or nearly so; names its cause and a remedy. */
export function emptyWarnings(
  { attribution, scale, probabilities, scores, targets }: Outcome,
  n: number,
  method: Method,
  kind: ScoreKind,
): Warning[] {
  const { data } = row(attribution, n);
  const isEmpty = data.every((value) => value === data[0]);
  const size = scale?.[n] ?? data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const p = flattening.has(kind) && probabilities ? row(probabilities, n).data[targets[n]!]! : 0.5;
  const isSaturated = p > 1 - saturated || (p < saturated && !kind.startsWith('log'));
  if (!isEmpty && size >= (isSaturated ? faintOfSaturated : faint)) return [];
  const what = isEmpty
    ? 'the attribution is the same everywhere'
    : `the attribution is nearly empty: its largest value is ${size.toExponential(1)}`;
  const score = row(scores, n).data[targets[n]!]!;
  return [
    {
      code: isEmpty ? 'degenerate_attribution' : 'faint_attribution',
      message: `${what}; ${causeOf(method, score, isSaturated ? p : undefined)}`,
    },
  ];
}

function causeOf(method: Method, score: number, saturatedAt: number | undefined): string {
  if (saturatedAt !== undefined)
    return `the score is saturated at ${saturatedAt.toFixed(1)}: explain the logit (score logit) or log-odds`;
  if (method.dividesByScore && Math.abs(score) <= 1e-20)
    return `the score is 0, and ${method.id} divides by it: explain another score, or use another method`;
  return method.needs.includes('layer')
    ? 'no value of the layer raises the score of the class: try another layer, the negated class, or another method'
    : 'the score hardly changes with the image where this method looks: try another score or method';
}
