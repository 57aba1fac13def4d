/** The most letters of a name that are compared; longer names are compared by their beginning. */
const mostLetters = 100;
/** The most pairs of letters compared in one search: a model may have a hundred thousand long class names. */
const mostPairs = 10_000_000;

/**
 * Finds the name that the caller probably meant: the name with the fewest edits from `word`, if at most a third of the
 * letters differ. Upper and lower case are the same. The search gives up after a fixed amount of work, so that no
 * request takes seconds.
 */
export function nearestName(word: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(word.length / 3)) + 1;
  let pairs = 0;
  const asked = word.slice(0, mostLetters).toLowerCase();
  for (const name of known) {
    const candidate = name.slice(0, mostLetters).toLowerCase();
    // The difference in length is a lower bound of the distance.
    if (Math.abs(asked.length - candidate.length) >= fewest) continue;
    pairs += asked.length * candidate.length;
    if (pairs > mostPairs) break;
    const edits = levenshteinDistance(asked, candidate);
    if (edits < fewest) [nearest, fewest] = [name, edits];
  }
  return nearest;
}

function levenshteinDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
