import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url).href);
const rows = readFileSync(at('docs/faults.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, row, , files] = /^\| ([A-M]\d+) \| (.*) \| (`.*`) \|$/.exec(line) ?? [];
    return row && files ? [{ row, files: files.match(/[^`\s]+/g) ?? [] }] : [];
  });

describe('docs/faults.md', () => {
  test('leaves no row out, but for those of the worker that the page says why it has none for', () => {
    const counts = { A: 16, B: 22, C: 14, D: 8, E: 14, G: 7, H: 12, I: 6, J: 12, K: 8, M: 8 };
    const wanted = Object.entries(counts).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
    );
    expect(rows.map(({ row }) => row)).toEqual(expect.arrayContaining(wanted));
    expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length);
  });

  test.each(rows)('$row: the files that it names have a test of that name', ({ row, files }) => {
    const named = new RegExp(`['"\`](?:[A-M]\\d+, )*${row}(?:, [A-M]\\d+)*:|// ${row}$`, 'm');
    for (const file of files) expect(readFileSync(at(file), 'utf8'), file).toMatch(named);
  });
});
