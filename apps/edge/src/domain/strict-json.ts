import { Refusal } from './refusal.ts';

const deepest = 32;

/**
 * JSON as RFC 8785 wants it (I-JSON): no member twice, no lone surrogate, no number beyond a double, and at
 * most 32 levels deep.
 *
 * @throws Refusal `invalid_json`.
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('invalid_json', 'The body is not valid JSON.');
  }
  inspect(text);
  return value;
}

/**
 * Refuses text that is nested too deep for functions that walk through it; reads it once and keeps nothing of it.
 *
 * @throws Refusal `invalid_json`.
 */
export function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === '{' || char === '[') {
      if (++depth > deepest) throw tooDeep();
    } else if (char === '}' || char === ']') depth--;
  }
}

/** Finds the end of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text[before] === '\\') before--;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}

const tooDeep = (): Refusal =>
  new Refusal('invalid_json', `The body is nested more than ${deepest} levels deep.`);

/** Walks the tokens of text that is known to be JSON. */
function inspect(text: string): void {
  const open: (Set<string> | null)[] = [];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]|-?\d[\d.eE+-]*/g)) {
    if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : null) > deepest) throw tooDeep();
    } else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"'))
      inspectString(token, text.slice(index + token.length), open.at(-1) ?? null);
    else if (!Number.isFinite(Number(token)))
      throw new Refusal('invalid_json', 'The body holds a number that is too large.');
  }
}

function inspectString(token: string, rest: string, members: Set<string> | null): void {
  const string = JSON.parse(token) as string;
  if (!string.isWellFormed()) throw new Refusal('invalid_json', 'The body holds half of a surrogate pair.');
  if (members === null || !/^\s*:/.test(rest)) return;
  if (members.has(string)) throw new Refusal('invalid_json', `The body has "${string}" twice.`);
  members.add(string);
}
