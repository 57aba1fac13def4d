import { describe, expect, test } from 'vitest';
import { explanationRequestSchema } from './api/explanations.ts';
import { keyRequestSchema } from './api/keys.ts';
import { tenantRequestSchema } from './api/tenants.ts';
import { modelRequestSchema } from './models.ts';

const hostile = {
  'a terminal escape': '\u001b[2Jcat',
  NUL: 'cat\u0000',
  'a line break': 'cat\nroot',
  'a C1 control': 'cat\u009b31m',
  'a right-to-left override': 'cat\u202egnp.exe',
  'a right-to-left mark': 'cat\u200f',
  'a right-to-left isolate': '\u2067cat',
  'a line separator': 'cat\u2028dog',
};
const asked = { input: { upload: 'upl_1' }, method: 'grad-cam' };
const model = { name: 'mine', sha256: '0'.repeat(64), content_length: 1 };
const places: Record<string, (name: string) => boolean> = {
  'the name of a key': (name) => keyRequestSchema.safeParse({ name }).success,
  'the name of a tenant': (name) => tenantRequestSchema.safeParse({ name }).success,
  'the name of a model': (name) => modelRequestSchema.safeParse({ ...model, name }).success,
  'the label of a class': (name) => modelRequestSchema.safeParse({ ...model, labels: [name] }).success,
  'the Chinese label of a class': (zh) =>
    modelRequestSchema.safeParse({ ...model, labels: [{ en: 'cat', zh }] }).success,
  'the name of an input': (name) =>
    modelRequestSchema.safeParse({ ...model, fixed_inputs: { [name]: 1 } }).success,
  'a method': (method) => explanationRequestSchema.safeParse({ ...asked, method }).success,
  'a model': (name) => explanationRequestSchema.safeParse({ ...asked, model: name }).success,
  'a layer': (layer) => explanationRequestSchema.safeParse({ ...asked, layers: [layer] }).success,
  'a class': (label) => explanationRequestSchema.safeParse({ ...asked, target: { label } }).success,
  'a name in metadata': (name) =>
    explanationRequestSchema.safeParse({ ...asked, metadata: { [name]: '' } }).success,
};

describe.each(Object.entries(places))('M8: %s', (_, accepts) => {
  test.each(Object.entries(hostile))('with %s is refused', (_, text) => expect(accepts(text)).toBe(false));
  test('in another script is accepted', () => {
    if (accepts !== places['the name of a model'])
      for (const name of ['cat', '虎斑猫', 'قطة', 'Katze & Co. 🐈']) expect(accepts(name)).toBe(true);
  });
});

test('M8: a value of metadata may have several lines, and no escapes', () => {
  const accepts = (value: string) =>
    explanationRequestSchema.safeParse({ ...asked, metadata: { note: value } }).success;
  expect(accepts('first\n\tsecond')).toBe(true);
  for (const name of ['a terminal escape', 'NUL', 'a right-to-left override'] as const)
    expect(accepts(hostile[name])).toBe(false);
});
