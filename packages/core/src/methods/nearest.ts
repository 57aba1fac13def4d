/** Letters of a name that are compared: what is longer comes from somebody who plays. */
const most = 100;

/** The name that was meant, where that can be guessed: where at most a third of the letters differ. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const short = word.slice(0, most);
  const ranked = known.map((name) => ({ name, edits: distance(short, name.slice(0, most)) }));
  const [near] = ranked.toSorted((a, b) => a.edits - b.edits);
  return near && near.edits * 3 <= near.name.length ? near.name : undefined;
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
