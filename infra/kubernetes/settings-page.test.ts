/** docs/settings.md names every setting that the worker reads, and no other. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseEnv, parseLoneEnv } from '../../apps/gpu-worker/src/env.ts';
import { variablesRead } from './variables-read.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
const section = (title: string) => page.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!;
/** Names in the first column of a table. */
const inTable = (title: string): string[] =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));

test('the worker', () => expect(inTable('Worker').sort()).toEqual(variablesRead(parseEnv, {}).sort()));

test('the worker alone', () => {
  const named = [...section('Worker alone').matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name!);
  expect([...new Set(named)].sort()).toEqual(variablesRead(parseLoneEnv, {}).sort());
});
