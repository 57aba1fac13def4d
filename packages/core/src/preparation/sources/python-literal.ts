/** Greatest depth of objects within objects; a list of names is never deeper. */
const deepest = 8;

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
]);

/** Numbers of hexadecimal digits after such an escape. */
const hexDigits: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/**
 * Reads `repr` of a Python dict, list or tuple of numbers, texts, booleans and None: `{0: 'cat', 1: "dog"}`.
 * A dict becomes a Map, None becomes null. Undefined if the text is nothing of that kind.
 */
export function parsePythonLiteral(text: string): unknown {
  let at = 0;
  const spaces = () => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  const take = (token: string): boolean => {
    spaces();
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };
  const expect = (token: string): void => {
    if (!take(token)) throw new SyntaxError(`expected ${token}`);
  };

  const textOf = (quote: string): string => {
    let value = '';
    for (;;) {
      const c = text[at++];
      if (c === undefined || c === '\n') throw new SyntaxError('the text has no end');
      if (c === quote) return value;
      if (c !== '\\') {
        value += c;
        continue;
      }
      const escaped = text[at++] ?? '';
      const digits = hexDigits.get(escaped);
      if (digits === undefined) {
        value += escapes.get(escaped) ?? `\\${escaped}`;
        continue;
      }
      const code = Number.parseInt(text.slice(at, at + digits), 16);
      if (!(code <= 0x10ffff)) throw new SyntaxError('no such character');
      value += String.fromCodePoint(code);
      at += digits;
    }
  };

  const sequence = (end: string, depth: number): unknown[] => {
    const items: unknown[] = [];
    while (!take(end)) {
      items.push(value(depth));
      if (!take(',')) {
        expect(end);
        break;
      }
    }
    return items;
  };

  const dict = (depth: number): Map<unknown, unknown> => {
    const entries = new Map<unknown, unknown>();
    while (!take('}')) {
      const key = value(depth);
      expect(':');
      entries.set(key, value(depth));
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    return entries;
  };

  const value = (depth: number): unknown => {
    if (depth > deepest) throw new SyntaxError('too deep');
    if (take('{')) return dict(depth + 1);
    if (take('[')) return sequence(']', depth + 1);
    if (take('(')) return sequence(')', depth + 1);
    for (const quote of ["'", '"']) if (take(quote)) return textOf(quote);
    for (const [word, means] of [
      ['None', null],
      ['True', true],
      ['False', false],
    ] as const)
      if (take(word)) return means;
    spaces();
    const [number] = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/.exec(text.slice(at, at + 40)) ?? [];
    if (number === undefined) throw new SyntaxError('expected a value');
    at += number.length;
    return Number(number);
  };

  try {
    const whole = value(0);
    spaces();
    return at === text.length ? whole : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
