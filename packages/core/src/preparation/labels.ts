import { parse } from 'csv-parse/browser/esm/sync';
import { z } from 'zod';
import { InputError } from '../errors.ts';

/** The name of a class. */
export interface Label {
  readonly en: string;
  readonly zh: string | null;
}

const columns = {
  index: ['id', 'index', 'class_index'],
  en: ['class', 'label', 'en', 'name'],
  zh: ['chinese', 'zh', 'label_zh'],
};

/** Writes a name on one line. */
const readable = (name: string): string => name.replaceAll(/[\s_]+/g, ' ').trim();

const label = z.union([
  z.string().transform((name) => ({ en: readable(name), zh: null })),
  z.tuple([z.string(), z.string()]).transform(([, name]) => ({ en: readable(name), zh: null })),
  z.object({ en: z.string(), zh: z.string().nullable().default(null) }),
]);

/** Names `["tench", …]`, `[{"en", "zh"}, …]`, or by index `{"0": ["n01440764", "tench"], …}`, `{"0": "tench", …}`. */
export const labelsSchema = z.union([
  z.array(label),
  z
    .custom<object>((given) => typeof given === 'object' && given !== null && !Array.isArray(given))
    .transform((byIndex) => Object.entries(byIndex))
    .pipe(z.array(z.tuple([z.string().regex(/^\d+$/), label])))
    .transform(inOrder),
]);

/** The formats of label files. */
export type LabelFormat = 'csv' | 'json' | 'lines';

/** Finds the format by the end of a file's name; any other end means a name on each line. */
export function labelFormatOf(name: string): LabelFormat {
  if (/\.json$/i.test(name)) return 'json';
  return /\.csv$/i.test(name) ? 'csv' : 'lines';
}

/**
 * Reads class names from the text of a label file, in the order of the class index.
 *
 * CSV has a header with a column for the index (`ID`, `index`), the name (`class`, `label`, `en`) and, optionally,
 * the Chinese name (`Chinese`, `zh`); a line that begins with # is a remark. JSON has one of the forms of
 * `labelsSchema`, or is a `config.json` of Hugging Face with its `id2label`. In `lines` each line is a name.
 *
 * @throws InputError `invalid_model` if it does not have that form, or an index is missing or given twice.
 */
export function parseLabels(text: string, format: LabelFormat): Label[] {
  if (format === 'lines') return fromLines(text);
  return format === 'csv' ? fromCsv(text) : fromJson(text);
}

function fromJson(text: string): Label[] {
  try {
    const given: unknown = JSON.parse(text);
    const config = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : {};
    return labelsSchema.parse(Object.hasOwn(config, 'id2label') ? Reflect.get(config, 'id2label') : given);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      'invalid_model',
      'label file: expected JSON, a list of names, an object from index to name, or a config.json with id2label',
    );
  }
}

/** Reads a name on each line; blank lines at the end are ignored. Some lists have numbers: `0 tench`, `1: goldfish`. */
function fromLines(text: string): Label[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/);
  const counted = lines.map((line, index) => {
    const [, number, name] = /^\s*(\d{1,6})[\s:,;]+(\S.*)$/.exec(line) ?? [];
    return Number(number) === index ? name : undefined;
  });
  // A name may begin with a number, so a number is an index only if each line begins with its own index.
  const names = counted.every((name) => name !== undefined) ? counted : lines;
  return names.map((name, index) => {
    if (name.trim() === '')
      throw new InputError(
        'invalid_model',
        `label file: line ${index + 1} is empty; expected a name on each line`,
      );
    return { en: readable(name), zh: null };
  });
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
  if (rows.length > 0 && rows.every((row) => row.length === 1)) return fromColumn(rows.flat());
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

/** Reads a column of names, with a heading or without a heading. */
function fromColumn(cells: readonly string[]): Label[] {
  const [first = ''] = cells;
  const names = columns.en.includes(first.toLowerCase()) ? cells.slice(1) : cells;
  return names.map((name) => ({ en: readable(name), zh: null }));
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
 * Finds the index of the class that `text` names, in English or Chinese, whole or by one of its synonyms (`kite` of
 * `kite, Milvus`); case does not matter.
 *
 * @throws InputError `target_out_of_range` if no class, or more than one, has that name.
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
