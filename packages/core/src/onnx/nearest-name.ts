/** The known name that was meant, where that can be guessed: where at most a third of the letters differ. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const near = known.toSorted((a, b) => distance(word, a) - distance(word, b))[0];
  return near !== undefined && distance(word, near) * 3 <= near.length ? near : undefined;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
