import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { inheritingLookUps } from './record-look-ups.ts';

const root = fileURLToPath(new URL('../..', import.meta.url).href);
const rooms = globSync(['packages/*', 'apps/*'], { cwd: root });

/** `object[text]` is written here and nowhere else; all others ask it. */
const theOnePlace = /^src\/own\.ts:\d+ record\[name\]$/;

test('L12: no text is looked up in an object in a way that finds what every object inherits', {
  timeout: 120_000,
}, () => {
  expect(rooms.length).toBeGreaterThan(6);
  const found = inheritingLookUps(rooms.map((room) => join(root, room)));
  expect(found.filter((place) => theOnePlace.test(place))).toHaveLength(1);
  expect(
    found.filter((place) => !theOnePlace.test(place)),
    'look it up with getOwn of @whylight/core, in a Map, or ask Object.hasOwn',
  ).toEqual([]);
});

test('L12: no schema drops a member called __proto__', () => {
  const sources = globSync('{packages,apps}/*/src/**/*.ts', { cwd: root }).filter(
    (file) => file !== join('packages', 'contract', 'src', 'record.ts'),
  );
  expect(sources.length).toBeGreaterThan(300);
  const using = sources.filter((file) => /\bz\s*\.record\(/.test(readFileSync(join(root, file), 'utf8')));
  expect(using, 'use recordOf of @whylight/contract').toEqual([]);
});

test('finds each form of such a look-up, and takes none that is safe', { timeout: 120_000 }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'look-ups-')));
  try {
    mkdirSync(join(folder, 'src'));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ include: ['src'], compilerOptions: { strict: true } }),
    );
    writeFileSync(join(folder, 'src/a.ts'), fixture);
    expect(inheritingLookUps([folder])).toEqual([
      'src/a.ts:2 record[name]',
      'src/a.ts:3 record[either]',
      'src/a.ts:4 record[key]',
      'src/a.ts:5 name in record',
      'src/a.ts:6 [name]: taken',
      "src/a.ts:7 record['a' + name]",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const fixture = `export function f<K extends string>(record: Record<string, number>, name: string, either: string | number, key: K) {
  record[name] = 1;
  const a = record[either];
  const b = record[key];
  const c = name in record;
  const { [name]: taken } = record;
  const d = record['a' + name];
  const list = [1, 2];
  const one: 'x' | 'y' = Math.random() > 1 ? 'x' : 'y';
  const safe = [list[0], list[list.length - 1], { x: 1, y: 2 }[one], record.x, { ...record, [name]: 1 }, 'x' in record];
  return [a, b, c, d, taken, safe];
}
`;
