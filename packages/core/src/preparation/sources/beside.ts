import { InputError } from '../../errors.ts';
import type { Head } from '../../model/head.ts';
import { type Label, labelFormatOf, parseLabels } from '../labels.ts';
import { readConfig, readProcessor } from './hugging-face.ts';
import { readMetadata } from './metadata.ts';
import type { Source } from './put-together.ts';
import { jsonOf, type Sourced, type Statement } from './said.ts';
import { readTimm } from './timm.ts';

/**
 * The text of the file of that name beside a model, or undefined where there is none.
 *
 * @throws InputError for a name that is a path, and for a file that is not read
 */
export type ReadText = (name: string) => string | undefined;

/** What is said of a model by others than the user and its manifest, by rank. */
export interface Found {
  readonly sources: readonly Source[];
  readonly labels: Sourced<readonly Label[]> | null;
  readonly task: Head['task'] | undefined;
  readonly notes: readonly string[];
}

/** Where people put the names of classes. */
const labelFiles = [
  ...['labels.json', 'labels.csv', 'labels.txt'],
  ...['classes.json', 'classes.csv', 'classes.txt', 'class_names.txt'],
];

/**
 * What files beside a model say, and the metadata in it. The file called `manifest` is not taken for a list of class names:
 * `labels.json` beside `labels.onnx` is that model's manifest.
 *
 * @throws InputError `invalid_model` for one that is damaged, too large, or says what cannot be
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

/** What the metadata of a model in memory say. */
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

/** Many programs have a file of this name: it counts if it is one of Hugging Face or timm. */
function configIn(given: unknown, file: string): Statement | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  if (Object.hasOwn(given, 'pretrained_cfg')) return readTimm(given, file);
  const theirs = ['id2label', 'model_type', 'architectures', 'transformers_version'];
  return theirs.some((member) => Object.hasOwn(given, member)) ? readConfig(given, file) : undefined;
}

/** A file of such a name may be of another model, or of something else: what is no list of names is said, and not used. */
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

/** Whether names come from a file that was looked for by its name alone. */
export const isGuessed = (labelsFrom: string | null): boolean =>
  labelsFrom !== null && labelFiles.includes(labelsFrom);

/** Names in the text of the file called `name`. @throws InputError that names it */
export function labelsIn(text: string, name: string): Label[] {
  try {
    return parseLabels(text, labelFormatOf(name));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.code, `${name}: ${error.message}`);
  }
}
