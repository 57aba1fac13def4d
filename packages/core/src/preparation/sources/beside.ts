import { InputError } from '../../errors.ts';
import type { Head } from '../../model/head.ts';
import { type Label, labelFormatOf, parseLabels } from '../labels.ts';
import { readConfig, readProcessor } from './hugging-face.ts';
import { readMetadata } from './metadata.ts';
import type { Source } from './put-together.ts';
import { jsonOf, type Sourced, type Statement } from './said.ts';
import { readTimm } from './timm.ts';

/**
 * Returns the text of the file of that name beside a model, or undefined if there is no such file.
 *
 * @throws InputError for a name that is a path, and for a file that is not read
 */
export type ReadText = (name: string) => string | undefined;

/** Statements about a model from other sources than the user and its manifest, by rank. */
export interface Found {
  readonly sources: readonly Source[];
  readonly labels: Sourced<readonly Label[]> | null;
  readonly task: Head['task'] | undefined;
  readonly notes: readonly string[];
}

/** Files in which people put the names of classes. */
const labelFiles = [
  ...['labels.json', 'labels.csv', 'labels.txt'],
  ...['classes.json', 'classes.csv', 'classes.txt', 'class_names.txt'],
];

/**
 * Reads the statements of files beside a model and of its metadata. Does not read the file called `manifest` as a list
 * of class names: `labels.json` beside `labels.onnx` is that model's manifest.
 *
 * @throws InputError `invalid_model` for a file that is damaged, too large, or states something impossible
 */
export function foundBeside(
  readText: ReadText,
  metadata: () => ReadonlyMap<string, string>,
  manifest?: string,
): Found {
  const statements: [from: string, statement: Statement][] = [];
  const json = (name: string, read: (given: unknown) => Statement | undefined) => {
    const text = readText(name);
    const statement = text === undefined ? undefined : read(jsonOf(text, name));
    if (statement) statements.push([name, statement]);
  };
  json('preprocessor_config.json', (given) => readProcessor(given, 'preprocessor_config.json'));
  json('config.json', (given) => configIn(given, 'config.json'));
  statements.push(...labelsBeside(readText, manifest));
  statements.push(['metadata', readMetadata(metadata())]);
  return collected(statements);
}

/** Reads the statements of the metadata of a model in memory. */
export const foundIn = (metadata: ReadonlyMap<string, string>): Found =>
  collected([['metadata', readMetadata(metadata)]]);

function collected(statements: readonly (readonly [from: string, statement: Statement])[]): Found {
  const named = statements.find(([, { labels }]) => labels !== undefined);
  return {
    sources: statements
      .filter(([, { parts }]) => Object.keys(parts).length > 0)
      .map(([from, { parts }]) => ({ from, parts })),
    labels: named ? { value: named[1].labels!, from: named[0] } : null,
    task: statements.find(([, { task }]) => task)?.[1].task,
    notes: statements.flatMap(([, { notes = [] }]) => notes),
  };
}

/** Many programs have a file of this name: it counts only if Hugging Face or timm wrote it. */
function configIn(given: unknown, file: string): Statement | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  if (Object.hasOwn(given, 'pretrained_cfg')) return readTimm(given, file);
  const theirs = ['id2label', 'model_type', 'architectures', 'transformers_version'];
  return theirs.some((member) => Object.hasOwn(given, member)) ? readConfig(given, file) : undefined;
}

/** Such a file may be another model's, or something else: if it is not a list of names, a note says it is not used. */
function labelsBeside(
  readText: ReadText,
  manifest: string | undefined,
): [from: string, statement: Statement][] {
  for (const name of labelFiles.filter((one) => one !== manifest))
    try {
      const text = readText(name);
      if (text !== undefined) return [[name, { parts: {}, labels: labelsIn(text, name) }]];
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return [[name, { parts: {}, notes: [`${name} is not used: ${error.message}`] }]];
    }
  return [];
}

/** Tells whether class names come from a file that was found by its file name alone. */
export const isGuessed = (labelsFrom: string | null): boolean =>
  labelsFrom !== null && labelFiles.includes(labelsFrom);

/** Reads class names from the text of the file called `name`. @throws InputError that names the file */
export function labelsIn(text: string, name: string): Label[] {
  try {
    return parseLabels(text, labelFormatOf(name));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.code, `${name}: ${error.message}`);
  }
}
