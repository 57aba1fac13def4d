import { InputError } from '../errors.ts';
import { placementOf } from '../image/geometry.ts';
import { type Preprocessing, type Sides, sidesOf } from '../image/preprocessing.ts';
import type { Classifier } from '../model/classifier.ts';
import type { Head } from '../model/head.ts';
import type { Warning } from '../warning.ts';
import { type ClassNames, classNames, isNameCount, scoreName } from './class-names.ts';
import { classifierOf, named } from './classifier.ts';
import type { DescribedModel } from './described.ts';
import { presets } from './preprocessing.ts';
import { saidOf, statedSides } from './reading.ts';
import { isGuessed } from './sources/beside.ts';
import type { InputFacts } from './sources/input-facts.ts';
import { type Preparation, putTogether } from './sources/put-together.ts';
import { type Part, type Sourced, sourceText } from './sources/said.ts';

type What = Pick<DescribedModel, 'name' | 'manifest' | 'sources' | 'labels' | 'labelsFrom' | 'notes'>;

/** Of each part of the preprocessing its value and who said it; of the names how many there are. */
export type PreprocessingReport = {
  [P in Part]: Sourced<Preprocessing[P]>;
} & { labels: Sourced<number> | null };

/** All that is known of how photos become a network's input, and of what its classes are called. */
export interface Prepared {
  readonly preprocessing: Preprocessing;
  readonly report: PreprocessingReport;
  readonly names: ClassNames;
  readonly task: Head['task'];
  /** What an answer has to say: which parts are assumed, what could not be understood. */
  readonly warnings: readonly Warning[];
}

/** How its input is made, by what is said of a model and what its network shows. @throws InputError */
export function preparationOf(
  model: Pick<DescribedModel, 'name' | 'manifest' | 'sources'>,
  classifier: Classifier,
): Preparation {
  const preset = model.manifest.preset === undefined ? undefined : presets[model.manifest.preset];
  return named(model, () => putTogether(model.sources, factsOf(classifier), preset));
}

/** The same, with names of classes and what an answer has to say. @throws InputError for what cannot all be true */
export function prepare(model: What, classifier: Classifier): Prepared {
  const { preprocessing, from } = preparationOf(model, classifier);
  const parts = Object.keys(preprocessing) as Part[];
  const { score } = classifier;
  const isValue = score !== undefined && score.type !== 'region';
  const names = isValue ? scoreName(score) : namesFor(model, classifier.classes);
  return {
    preprocessing,
    report: {
      ...(Object.fromEntries(
        parts.map((part) => [part, { value: preprocessing[part], from: from[part] }]),
      ) as Record<Part, never>),
      labels:
        !isValue && names.classes && model.labels
          ? { value: model.labels.length, from: model.labelsFrom ?? 'manifest' }
          : null,
    },
    names,
    task: classifier.head.task,
    warnings: [
      ...assumedWarning(preprocessing, from),
      ...model.notes.map((message) => ({ code: 'preprocessing_not_understood', message })),
      ...(names.classes || !model.labels ? [] : unusedWarning(model, classifier.classes)),
      ...(names.classes ? [] : unnamedWarning(classifier.classes)),
    ],
  };
}

/**
 * Names for so many classes; none where a file of another number was found by its name alone.
 *
 * @throws InputError `invalid_model` for another number of names that somebody states
 */
export function namesFor(
  { labels, labelsFrom, name }: Pick<What, 'labels' | 'labelsFrom' | 'name'>,
  classes: number,
): ClassNames {
  if (!labels || isNameCount(labels.length, classes)) return classNames(labels, classes);
  if (isGuessed(labelsFrom)) return classNames(null, classes);
  throw new InputError(
    'invalid_model',
    `model ${name}: labels: expected ${classes}, one for each class, got ${labels.length} from ${sourceText(labelsFrom ?? 'manifest')}; give the right names (on the command line: --labels FILE)`,
  );
}

function factsOf({ input, inputShape, layout, statedSides, sizeSource, first }: Classifier): InputFacts {
  const [sides, channels] =
    layout === 'NCHW' ? [inputShape.slice(1), inputShape[0]!] : [inputShape.slice(0, 2), inputShape[2]!];
  return {
    layout,
    channels,
    sides: statedSides ?? (sides as unknown as Sides),
    stated: statedSides !== null,
    first: { ...(sizeSource === 'graph' && { size: sides as unknown as Sides }), ...first },
    bytes: input.dtype === 'uint8',
  };
}

/** What the warning calls each part, and how the command line says it. */
function assumedWarning(preprocessing: Preprocessing, from: Readonly<Record<Part, string>>): Warning[] {
  const parts = (Object.keys(from) as Part[]).filter((part) => {
    if (from[part] !== 'assumed' || preprocessing[part] === null) return false;
    return part !== 'pad_color' || preprocessing.fit === 'letterbox';
  });
  if (parts.length === 0) return [];
  const said = parts.map((part) => `${part.replace('_', '-')} ${shown(preprocessing[part], part)}`);
  return [
    {
      code: 'preprocessing_assumed',
      message: `nothing states these parts of the preprocessing, so they are assumed: ${said.join('; ')}. If the model was trained otherwise, state them (as options, or in the manifest)`,
    },
  ];
}

/** A part as its flag takes it. */
export function shown(value: Preprocessing[Part], part: Part): string {
  if (part === 'scale') return scaleText(value as number);
  if (part === 'pad_color')
    return `#${(value as readonly number[]).map((level) => level.toString(16).padStart(2, '0')).join('')}`;
  if (Array.isArray(value)) return value.map(decimal).join(part === 'mean' || part === 'std' ? ',' : 'x');
  return value === null ? '-' : String(value);
}

const decimal = (value: number): string => String(Number(value.toPrecision(6)));

const scaleText = (scale: number): string => {
  const below = 1 / scale;
  return Number.isInteger(scale) || Math.abs(below - Math.round(below * 2) / 2) > 1e-9
    ? decimal(scale)
    : `1/${Math.round(below * 2) / 2}`;
};

const unusedWarning = ({ labels, labelsFrom }: What, classes: number): Warning[] => [
  {
    code: 'labels_not_used',
    message: `${labelsFrom} beside the model is not used: expected ${classes} names, one for each class, got ${labels!.length}; give the right file with --labels FILE`,
  },
];

/** Names are offered, not given: there are other thousands of classes. */
const unnamedWarning = (classes: number): Warning[] =>
  classes === 1000
    ? [
        {
          code: 'classes_unnamed',
          message:
            'the 1000 classes have no names; if they are the classes of ImageNet, name them with --labels imagenet',
        },
      ]
    : [];

const prepared = new WeakMap<object, Promise<Prepared>>();

/** `prepare`, of a network that is read for it; the answer is kept. @throws InputError */
export function preparedFor(model: DescribedModel): Promise<Prepared> {
  const known = prepared.get(model) ?? classifierOf(model).then((classifier) => prepare(model, classifier));
  prepared.set(model, known);
  // What fails may have another cause the next time.
  known.catch(() => prepared.delete(model));
  return known;
}

/** What the network's channels are, where they are not said by the network itself. @throws InputError */
export async function channelsFor(model: DescribedModel): Promise<Preprocessing['channels']> {
  return saidOf(model).channels?.value ?? (await preparedFor(model)).preprocessing.channels;
}

/** The sides that the network gets of this photo, where they are known before the network is read. @throws InputError */
export async function sidesFor(
  model: DescribedModel,
  photo: { readonly width: number; readonly height: number },
): Promise<Sides | undefined> {
  const sides = statedSides(model);
  if (sides) return sides;
  // What a crop is not taken of is resized as far as the network's own size says; its graph may take photos of any size.
  const { preprocessing } = await preparedFor(model);
  if (sides === undefined && sidesOf(preprocessing)) return undefined;
  const { window } = placementOf(photo, preprocessing);
  return [window.height, window.width];
}
