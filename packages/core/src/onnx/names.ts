// Names come from a stranger's file: they are escaped and shortened before they are shown.

const longest = 80;
/** Control characters, and characters that reorder, hide or break a line. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Escapes all that a terminal or a page would act on in a name, and shortens it to a line. */
export const printable = (name: string): string => shortened(name, longest);

/** Shortens a text to `most` characters and escapes it. */
export function shortened(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  return short.replace(unprintable, (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}

/** Quotes a name, for messages. */
export const quoted = (name: string): string => `"${printable(name).replaceAll('"', '\\"')}"`;

/** Quotes the first names of a list. */
export const listed = (names: readonly string[]): string =>
  names.slice(0, 5).map(quoted).join(', ') + (names.length > 5 ? ', ...' : '');
