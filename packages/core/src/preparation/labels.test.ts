import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { sharedFile } from '../testing/shared.ts';
import { findLabel, type Label, parseLabels } from './labels.ts';

const tench: Label = { en: 'tench, Tinca tinca', zh: '丁鲷' };
const crane: Label = { en: 'crane', zh: null };

describe('a label file', () => {
  test('as CSV: commas in quotes, any order of rows, a byte order mark', () => {
    const text = '\uFEFFID,class,wordnet,Chinese\r\n1,crane,n2,\r\n0,"tench, Tinca tinca",n1,丁鲷\r\n';
    expect(parseLabels(text, 'csv')).toEqual([tench, crane]);
  });

  test('as CSV with underscores for spaces, as ImageNet lists have them', () => {
    const [label] = parseLabels('ID,class\n0,tiger_cat\n', 'csv');
    expect(label!.en).toBe('tiger cat');
  });

  test('as CSV with the names index and label', () => {
    expect(parseLabels('index,label\n0,crane\n', 'csv')).toEqual([crane]);
  });

  test('as CSV with remarks, and a # that is part of a name', () => {
    expect(parseLabels('# whose names these are\nindex,en\n0,C# book\n', 'csv')).toEqual([
      { en: 'C# book', zh: null },
    ]);
  });

  const forms: [string, unknown][] = [
    ['a list of names', ['tench', 'crane']],
    ['a list of objects', [{ en: 'tench', zh: null }, { en: 'crane' }]],
    ['names by index', { 1: 'crane', 0: 'tench' }],
    ['WordNet id and name by index', { 0: ['n01440764', 'tench'], 1: ['n02012849', 'crane'] }],
  ];
  test.each(forms)('as JSON: %s', (_, value) => {
    expect(parseLabels(JSON.stringify(value), 'json')).toEqual([{ en: 'tench', zh: null }, crane]);
  });

  const wrong: [string, 'csv' | 'json', string, RegExp][] = [
    ['a gap', 'csv', 'ID,class\n0,a\n2,b\n', /2 classes, but none has index 1/],
    ['an index twice', 'csv', 'ID,class\n0,a\n0,b\n', /same index is given twice/],
    ['no header', 'csv', '0,a\n1,b\n', /expected a header with ID and class, got 0,a/],
    ['a row that is too long', 'csv', 'ID,class\n0,a,b\n', /label file: /],
    ['a number for a name', 'json', '[1]', /expected JSON, a list of names/],
    ['no JSON', 'json', '[', /expected JSON, a list of names/],
    ['a gap by index', 'json', '{"1":"a"}', /none has index 0/],
  ];
  test.each(wrong)('with %s is refused', (_, format, text, message) => {
    expect(() => parseLabels(text, format)).toThrow(message);
  });

  test.skipIf(!sharedFile('labels/imagenet_class_index.csv'))('of ImageNet gives 1000 classes', async () => {
    const csv = parseLabels(await readFile(sharedFile('labels/imagenet_class_index.csv')!, 'utf8'), 'csv');
    const json = parseLabels(await readFile(sharedFile('labels/imagenet_class_index.json')!, 'utf8'), 'json');
    expect([csv.length, json.length]).toEqual([1000, 1000]);
    expect([csv[340]!.en, json[340]!.en, csv[340]!.zh]).toEqual(['zebra', 'zebra', '斑马']);
    expect(() => findLabel(json, 'crane')).toThrow('names 2 classes, 134 and 517');
  });
});

describe('a label names a class', () => {
  const labels = [tench, crane, { en: 'Crane', zh: null }, { en: 'great_white_shark', zh: '大白鲨' }];

  test.each([
    ['tench, tinca tinca', 0],
    ['Tinca tinca', 0],
    ['丁鲷', 0],
    ['great white shark', 3],
    ['大白鲨', 3],
  ])('%s', (text, index) => {
    expect(findLabel(labels, text)).toBe(index);
  });

  test('two classes of one name are both named in the error', () => {
    expect(() => findLabel(labels, 'crane')).toThrow(
      'target: "crane" names 2 classes, 1 and 2; give the index',
    );
  });

  test('no class of the name is an error', () => {
    expect(() => findLabel(labels, 'goose')).toThrow('no class is called "goose"');
  });
});
