import { getOwn } from '../own.ts';
import type { Task } from './task.ts';

/** What is known of an output beside its graph. */
export interface Naming {
  readonly name: string;
  /** How many class names the model has. */
  readonly labels?: number | undefined;
  /** What somebody who knows said that the model is for. */
  readonly task?: Task | undefined;
}

const words = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');

const says =
  (...known: string[]) =>
  (name: string): boolean =>
    words(name).some((word) => singulars(word).some((form) => known.includes(form)));

const singulars = (word: string): string[] => [
  word,
  word.replace(/s$/, ''),
  word.replace(/es$/, ''),
  word.replace(/ies$/, 'y'),
];

/** One number before a sigmoid. */
export const namesLogit = says('logit');
/** A quantity, and no class. */
export const namesNumber = says(
  'regression',
  'regressor',
  'age',
  'value',
  'angle',
  'quality',
  'count',
  'ratio',
  'distance',
  'depth',
  'density',
  'intensity',
  'percentage',
  'rating',
  'aesthetic',
  'severity',
  'yaw',
  'pitch',
  'roll',
  'valence',
  'arousal',
);
/** What scores classes is called. */
export const namesScores = says(
  'logit',
  'prob',
  'probability',
  'score',
  'output',
  'softmax',
  'sigmoid',
  'pred',
  'prediction',
  'class',
  'classifier',
  'classification',
  'label',
  'head',
  'fc',
  'confidence',
);
/** What stands for the whole image in numbers that are compared, and no classes. */
export const namesEmbedding = says(
  'embedding',
  'embed',
  'embeds',
  'feature',
  'feat',
  'pooler',
  'pooled',
  'descriptor',
  'vector',
);
/** What does not: features, boxes, ranks, and heads that only helped while the model was trained. */
export const namesOther = says(
  'feature',
  'feat',
  'embedding',
  'embed',
  'hidden',
  'state',
  'pooled',
  'pooler',
  'pool',
  'token',
  'attention',
  'mask',
  'box',
  'bbox',
  'anchor',
  'landmark',
  'keypoint',
  'rank',
  'index',
  'argmax',
  'top',
  'topk',
  'id',
  'aux',
  'auxiliary',
  'count',
  'size',
  'shape',
);

const tasksSaid: Readonly<Record<string, Task>> = {
  multiclass: 'multiclass',
  single_label_classification: 'multiclass',
  multilabel: 'multilabel',
  multi_label_classification: 'multilabel',
  binary: 'binary',
  regression: 'regression',
};

/** The task that the metadata of a file names: `whylight.task`, or HuggingFace's `problem_type`. */
export function taskOfMetadata(metadata: ReadonlyMap<string, string>): Task | undefined {
  const said = metadata.get('whylight.task') ?? metadata.get('problem_type');
  return said === undefined ? undefined : getOwn(tasksSaid, said);
}
