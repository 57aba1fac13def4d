import { expect, test, vi } from 'vitest';
import { note, print, printJson, table } from './output.ts';

const evil = 'cat\u001b[2J\u009b1m\u202etac\u200f\u2028';

/** What `act` writes to stdout and stderr. */
function written(act: () => void): string {
  let text = '';
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    }),
  );
  try {
    act();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return text;
}

test('M8: what would act on a terminal is spelled out, whoever prints it', () => {
  const spelled = 'cat\\u001b[2J\\u009b1m\\u202etac\\u200f\\u2028\n';
  expect(written(() => print(evil))).toBe(spelled);
  expect(written(() => note(evil))).toBe(spelled);
});

test('M8: JSON spells it out too, and means the same', () => {
  const text = written(() => printJson({ label: evil }));
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  expect(JSON.parse(text)).toEqual({ label: evil });
});

test('M8: a name with a line break stays in its cell', () => {
  expect(table([['a\nb', 'c']])).toBe('a\\u000ab  c');
});
