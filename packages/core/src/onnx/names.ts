// Names come from a stranger's file: what is shown of them is escaped and bounded.

const longest = 80;
/** Control characters, and those that reorder, hide or break a line. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** A name without anything that a terminal or a page would act on, and not longer than a line. */
export const printable = (name: string): string => shortened(name, longest);

/** Text of at most so many characters, printable. */
export function shortened(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  return short.replace(unprintable, (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}

/** A name in quotes, for messages. */
export const quoted = (name: string): string => `"${printable(name).replaceAll('"', '\\"')}"`;

/** The first names of a list, in quotes. */
export const listed = (names: readonly string[]): string =>
  names.slice(0, 5).map(quoted).join(', ') + (names.length > 5 ? ', ...' : '');
