let answered = false;

/** One JSON document, the command's whole answer. */
export const printJson = (value: unknown, indent = 2): void => {
  answered = true;
  process.stdout.write(`${JSON.stringify(value, null, indent)}\n`);
};

/** The error as JSON, unless the document that was promised is there already. */
export const printJsonError = (code: string, message: string): void => {
  if (!answered) printJson({ error: { code, message } }, 0);
};

export const print = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

/** News that is no answer: never on stdout. */
export const note = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** `1 frame`, `2 frames`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Rows as columns of equal width. */
export function table(rows: readonly (readonly string[])[]): string {
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
