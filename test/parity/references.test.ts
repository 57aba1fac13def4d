import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Method, methods } from '@whylight/core/methods';
import { expect, it } from 'vitest';

// A method enters the list with a source and with numbers that are not ours. `docs/how-to/add-a-method.md` says how.

const root = fileURLToPath(new URL('../..', import.meta.url));
const rooms = 'packages/core/src/methods';

/** Where methods are held to numbers that are not ours: a library's, an author's, or those of a formula written out apart from the method. */
const comparisons = [
  'test/parity/tiny.test.ts', // torchcam, pytorch-grad-cam and Captum on the tiny network
  'test/parity/calls.ts', // the same on real networks
  'test/parity/transformers.test.ts', // the same, and formulas in PyTorch, on transformers
  'test/library-parity/libraries.py', // the same on random networks
  `${rooms}/captum-vectors.test.ts`, // what Captum's own tests expect
  `${rooms}/layers/captum-layers.test.ts`,
  'test/parity/xplique/record.py', // what Xplique gives, for perturbation/xplique.test.ts
  'test/parity/transformers/record_attention.py', // formulas in PyTorch, for cams/attention.test.ts
  'test/parity/saliency/record.py', // what PAIR's saliency gives, for gradients/pair.test.ts
  `${rooms}/perturbation/rise.test.ts`, // the authors' masks, and the sum written out
];

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

const sources = readdirSync(join(root, rooms), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => textOf(join(rooms, path)));

/** The comment above a method, or nothing where no file defines one of that id. */
function commentOf({ id }: Pick<Method, 'id'>): string {
  const source = sources.find((text) => text.includes(`id: '${id}'`)) ?? '';
  const [before = ''] = source.split(`id: '${id}'`);
  return before.slice(before.lastIndexOf('/**'));
}

/** What a method lacks of what lets it enter the list. */
function lacking(method: Pick<Method, 'id' | 'paper'>): string[] {
  const compared = comparisons.filter((path) => new RegExp(`['"]${method.id}['"]`).test(textOf(path)));
  return [
    ...(/^https:\/\/\S+$/.test(method.paper) ? [] : ['the address of its `paper`']),
    ...(/@see \S/.test(commentOf(method)) ? [] : ['a `@see` in the comment above it']),
    ...(compared.length > 0 ? [] : ['a comparison with a library or with a formula written out']),
  ];
}

it.each(methods.map((method) => [method.id, method] as const))('%s has a reference', (_, method) => {
  expect(lacking(method)).toEqual([]);
});

it('a method without a reference is seen', () => {
  expect(lacking({ id: 'tea-leaves', paper: 'to be written' })).toHaveLength(3);
});
