import type { JSX } from 'preact';
import type { Result } from '../engine/engine.ts';
import { useWords } from '../words/words.ts';

/** How long it took, where, and how far the values are from adding up. */
export function ResultFacts({ result }: { readonly result: Result }): JSX.Element {
  const words = useWords().explain;
  const { compute, convergenceDelta, explanation } = result;
  const took = explanation?.isCached
    ? words.cached
    : [words.took(compute / 1000), explanation?.device && words.on(explanation.device)]
        .filter(Boolean)
        .join(' ');
  const error = convergenceDelta === null ? [] : [words.error(convergenceDelta.toPrecision(2))];
  return <p class="small facts">{[took, ...error].join(' · ')}</p>;
}
