import { InputError } from '../errors.ts';
import { quoted } from '../onnx/names.ts';
import type { Classifier } from './classifier.ts';
import { namesEmbedding } from './output-names.ts';
import { type ValueScore, valueScoreText } from './score-spec.ts';

/** What the shape and the name of an output tell of what it is for. */
export type Purpose =
  | 'classification'
  | 'segmentation'
  | 'detection'
  | 'key-points'
  | 'embedding'
  | 'number'
  | 'map'
  | 'values'
  | 'none';

/** An output of a model, and what of it can be explained. */
export interface OutputSeen {
  readonly name: string;
  readonly dtype: string;
  /** `batch` stands for the images. */
  readonly shape: readonly (number | string)[];
  readonly purpose: Purpose;
  /** The same in words. */
  readonly meaning: string;
  /** A score of it, as the command line spells it; null where there is none. */
  readonly score: string | null;
}

/** Of a model with more outputs than this, the first are looked at. */
const most = 16;

/** What each output of a model gives, and how to ask for a number of it. */
export function outputsSeen(classifier: Classifier): OutputSeen[] {
  const { outputs } = classifier.file.graph;
  return outputs.slice(0, most).map((name) => {
    const score: ValueScore = { type: 'output', name, index: '', reduce: 'sum' };
    const isRead = classifier.score === undefined && classifier.head.output === name;
    try {
      return seenOf(isRead ? classifier : classifier.explaining(score), name, isRead);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const declared = classifier.file.graph.declared?.get(name);
      const { dtype = 'unknown', shape = [] } = declared ?? {};
      return { name, dtype, shape, purpose: 'none', meaning: error.message, score: null };
    }
  });
}

function seenOf(classifier: Classifier, name: string, isClasses: boolean): OutputSeen {
  const { g, resolve } = classifier.inline((g) =>
    g.input('image', 'float32', [-1, ...classifier.inputShape]),
  );
  const value = resolve(name);
  const shape = g.shape(value).map((d) => (d < 0 ? 'batch' : d));
  const seen = isClasses
    ? ({
        purpose: 'classification',
        meaning: `scores of ${classifier.classes === 1 ? '1 class' : `${classifier.classes} classes`}`,
        index: '',
        reduce: 'sum',
      } as const)
    : purposeOf(name, g.shape(value).slice(1));
  const { purpose, meaning, index, reduce } = seen;
  return {
    ...{ name, dtype: g.dtype(value), shape, purpose, meaning },
    score: valueScoreText({ type: 'output', name, index, reduce }),
  };
}

interface Told extends Pick<OutputSeen, 'purpose' | 'meaning'>, Pick<ValueScore, 'index' | 'reduce'> {}

/** @param shape without the batch */
function purposeOf(name: string, shape: readonly number[]): Told {
  const told = (purpose: Purpose, meaning: string, index: string, reduce: ValueScore['reduce'] = 'sum') => ({
    ...{ purpose, meaning, index, reduce },
  });
  const [a = 1, b = 1, c = 1] = shape;
  const beside = shape.filter((d) => d !== 1);
  if (beside.length === 0) return told('number', 'one number', '');
  if (beside.length === 1)
    return namesEmbedding(name)
      ? told('embedding', `an embedding of ${beside[0]} numbers`, '', 'norm')
      : told('values', `${beside[0]} numbers`, shape.map((d) => (d === 1 ? ':' : '0')).join(','));
  if (shape.length === 2) {
    if (b <= 3) return told('key-points', `${a} points of ${b} coordinates`, '0,0');
    // Anchors are many, and what is said of each is few numbers.
    if (Math.max(a, b) >= 256 && Math.min(a, b) >= 5)
      return told(
        'detection',
        `${Math.max(a, b)} candidates of ${Math.min(a, b)} numbers each`,
        a > b ? '0,4' : '4,0',
      );
    return told('map', `a map of ${a}x${b}`, '');
  }
  if (shape.length === 3) {
    const last = a > c && b > c;
    const [classes, height, width] = last ? [c, a, b] : [a, b, c];
    if (height > 1 && width > 1)
      return classes === 1
        ? told('segmentation', `one map of ${height}x${width}`, '')
        : told(
            'segmentation',
            `a map of ${height}x${width} for each of ${classes} classes`,
            last ? ':,:,0' : '0',
          );
  }
  return told('values', `values of ${shape.length} axes`, '0');
}

/** What the model does, and what shows it: by the output that says most. */
export function taskSeen(outputs: readonly OutputSeen[]): { purpose: Purpose; why: string } {
  const order: readonly Purpose[] = [
    'classification',
    'segmentation',
    'detection',
    'key-points',
    'embedding',
    'number',
    'map',
    'values',
  ];
  const best = order.flatMap((purpose) => outputs.filter((output) => output.purpose === purpose))[0];
  if (!best) return { purpose: 'none', why: 'no output gives floating-point numbers' };
  return {
    purpose: best.purpose,
    why: `output ${quoted(best.name)} [${best.shape.join(', ')}] gives ${best.meaning}`,
  };
}
