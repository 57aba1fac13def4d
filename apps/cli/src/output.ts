/** Control characters, and characters that reorder, hide or break the text beside them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

const escaped = (c: string): string =>
  Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');

/** Escapes characters of a name that would act on the terminal, because names come from files of strangers. */
export const harmless = (name: string): string => name.replace(unprintable, escaped);

/** Does the same for text of several lines. */
const harmlessLines = (text: string): string =>
  text.replace(unprintable, (c) => (c === '\n' ? c : escaped(c)));

let answered = false;

/** One JSON document, the command's whole answer. */
export const printJson = (value: unknown, indent = 2): void => {
  answered = true;
  // In JSON, escaped characters mean the same text.
  process.stdout.write(`${harmlessLines(JSON.stringify(value, null, indent))}\n`);
};

/** The error as JSON, unless the promised document has been printed already. */
export const printJsonError = (code: string, message: string): void => {
  if (!answered) printJson({ error: { code, message } }, 0);
};

export const print = (line = ''): void => {
  process.stdout.write(`${harmlessLines(line)}\n`);
};

/** Prints a message that is no answer: never on stdout. */
export const note = (line: string): void => {
  process.stderr.write(`${harmlessLines(line)}\n`);
};

/** `1 frame`, `2 frames`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Rows as columns of equal width. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(harmless));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
