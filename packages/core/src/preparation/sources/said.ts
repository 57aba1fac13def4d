import type { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Preprocessing } from '../../image/preprocessing.ts';
import type { Head } from '../../model/head.ts';
import { quoted, shortened } from '../../onnx/names.ts';
import type { Label } from '../labels.ts';

/** The statements of one source about a model; parts that it does not state are left out. */
export interface Statement {
  readonly parts: Partial<Preprocessing>;
  readonly labels?: readonly Label[] | undefined;
  /** The task that the model was trained for. */
  readonly task?: Head['task'] | undefined;
  /** Statements that Whylight does not understand. */
  readonly notes?: readonly string[] | undefined;
}

/** A value and its source: `option`, `manifest`, a file's name, `metadata`, `graph`, `file`, `preset` or `assumed`. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: string;
}

/** Names of the sources in a sentence, for sources that are not files. */
const sourceNames: ReadonlyMap<string, string> = new Map([
  ['option', 'the command line'],
  ['manifest', 'the manifest'],
  ['metadata', 'the metadata in the model file'],
  ['file', 'the model file'],
  ['preset', 'the preset'],
]);

/** Returns the name of a source in a sentence: "the manifest", "config.json". */
export const sourceText = (from: string): string => sourceNames.get(from) ?? from;

export type Part = keyof Preprocessing;

/** The first statement about each part of the preprocessing. */
export type Said = { readonly [P in Part]?: Sourced<Preprocessing[P]> };

/** Parses JSON text. @throws InputError that names the file */
export function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('invalid_model', `file ${quoted(file)}: expected JSON`);
  }
}

/** Parses `given` by the schema. @throws InputError that says which file and member, what was expected and what came */
export function parsedBy<T extends z.ZodType>(schema: T, given: unknown, file: string): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const where = path.length > 0 ? `: ${path.join('.')}` : '';
  const expected = message.replace(/^Invalid input: /, '').replace(/, received .*$/, '');
  throw new InputError(
    'invalid_model',
    `file ${quoted(file)}${where}: ${expected}; got ${shown(given, path)}`,
  );
}

/** Writes the value at `path` as JSON, shortened to fit into a line. */
function shown(given: unknown, path: readonly PropertyKey[]): string {
  const found = path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? Reflect.get(value, key)
        : undefined,
    given,
  );
  return shortened(JSON.stringify(found) ?? 'nothing', 60);
}
