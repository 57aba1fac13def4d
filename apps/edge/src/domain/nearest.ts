import { nearestName } from '@whylight/core/methods';

/** ` Did you mean "grad-cam"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const name = nearestName(word, known);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}
