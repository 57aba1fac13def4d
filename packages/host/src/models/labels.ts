import { InputError } from '@whylight/core';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

/** What a class is called. */
export interface Label {
  readonly en: string;
  readonly zh: string | null;
}

const columns = {
  index: ['id', 'index', 'class_index'],
  en: ['class', 'label', 'en', 'name'],
  zh: ['chinese', 'zh', 'label_zh'],
};

const readable = (name: string): string => name.replaceAll('_', ' ').trim();

const label = z.union([
  z.string().transform((name) => ({ en: readable(name), zh: null })),
  z.tuple([z.string(), z.string()]).transform(([, name]) => ({ en: readable(name), zh: null })),
  z.object({ en: z.string(), zh: z.string().nullable().default(null) }),
]);

/** `["tench", …]`, `[{"en", "zh"}, …]`, or by index: `{"0": ["n01440764", "tench"], …}`, `{"0": "tench", …}`. */
export const labelsSchema = z.union([
  z.array(label),
  z
    .custom<object>((given) => typeof given === 'object' && given !== null && !Array.isArray(given))
    .transform((byIndex) => Object.entries(byIndex))
    .pipe(z.array(z.tuple([z.string().regex(/^\d+$/), label])))
    .transform(inOrder),
]);

/**
 * Class names from the text of a label file, in the order of the class index.
 *
 * CSV has a header with a column for the index (`ID`, `index`), the name (`class`, `label`, `en`) and, if it likes,
 * the Chinese name (`Chinese`, `zh`); a line that begins with # is a remark. JSON has one of the forms of `labelsSchema`.
 *
 * @throws InputError `invalid_model` when it has neither form, or an index is missing or given twice.
 */
export function parseLabels(text: string, format: 'csv' | 'json'): Label[] {
  return format === 'csv' ? fromCsv(text) : fromJson(text);
}

function fromJson(text: string): Label[] {
  try {
    return labelsSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      'invalid_model',
      'label file: expected JSON, a list of names or an object from index to name',
    );
  }
}

function fromCsv(text: string): Label[] {
  let rows: string[][];
  try {
    rows = parse(text, {
      bom: true,
      comment: '#',
      comment_no_infix: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    throw new InputError('invalid_model', `label file: ${(error as Error).message}`);
  }
  const header = (rows.shift() ?? []).map((cell) => cell.toLowerCase());
  const [index, en, zh] = [columns.index, columns.en, columns.zh].map((names) =>
    header.findIndex((cell) => names.includes(cell)),
  ) as [number, number, number];
  if (index < 0 || en < 0)
    throw new InputError(
      'invalid_model',
      `label file: expected a header with ID and class, got ${header.join(',')}`,
    );
  return inOrder(
    rows.map((row) => [row[index]!, { en: readable(row[en]!), zh: (zh < 0 ? '' : row[zh]!) || null }]),
  );
}

function inOrder(entries: readonly (readonly [index: string, label: Label])[]): Label[] {
  const byIndex = new Map(entries.map(([index, label]) => [Number(index), label]));
  if (byIndex.size < entries.length)
    throw new InputError('invalid_model', 'label file: the same index is given twice');
  return entries.map((_, index) => {
    const found = byIndex.get(index);
    if (!found)
      throw new InputError(
        'invalid_model',
        `label file: ${entries.length} classes, but none has index ${index}`,
      );
    return found;
  });
}

/**
 * The index of the class that `text` names, in English or Chinese, whole or by one of its synonyms (`kite` of
 * `kite, Milvus`); case does not matter.
 *
 * @throws InputError `target_out_of_range` when no class, or more than one, has that name.
 */
export function findLabel(labels: readonly Label[], text: string): number {
  const wanted = readable(text).toLowerCase();
  const indices = (matches: (name: string) => boolean): number[] =>
    labels.flatMap(({ en, zh }, index) =>
      matches(readable(en).toLowerCase()) || (zh && matches(zh)) ? [index] : [],
    );

  const whole = indices((name) => name === wanted);
  const found = whole.length
    ? whole
    : indices((name) => name.split(/[,，]/).some((part) => part.trim() === wanted));
  if (found.length === 0)
    throw new InputError(
      'target_out_of_range',
      `target: no class is called "${text}"; expected a label or an index`,
    );
  if (found.length > 1)
    throw new InputError(
      'target_out_of_range',
      `target: "${text}" names ${found.length} classes, ${found.join(' and ')}; give the index`,
    );
  return found[0]!;
}
