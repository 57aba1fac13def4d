import {
  type Catalog,
  type CatalogModel,
  type ExplanationAsked,
  predictionMethod,
  type Question,
  type ScoreName,
  type TargetRequest,
  type TargetSpec,
} from '@whylight/contract';
import {
  getOwn,
  InputError,
  methods,
  numericsVersion,
  type ResolvedQuestion,
  resolveQuestion,
} from '@whylight/core/methods';
import { didYouMean } from './nearest.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { pointerOf } from './validation.ts';

/**
 * Resolves everything that a request leaves open: model by digest, every parameter, target by index. Two requests with
 * the same meaning give the same question.
 *
 * @throws Refusal with a pointer to the member at fault.
 */
export function explanationQuestion(asked: ExplanationAsked, image: string, model: CatalogModel): Question {
  const { target, score } = splitTarget(asked.target);
  const resolved = resolveMethod(asked, score);
  checkMethod(resolved.method, model);
  checkLayers(asked.layers, model);
  return {
    ...resolved,
    image,
    model: model.digest,
    preprocessing: model.preprocessing,
    numerics_version: numericsVersion,
    layers: asked.layers,
    target: resolveTarget(target, pointerOfIndex(asked.target), model),
  };
}

/**
 * The question as far as it can be resolved without a model: its digests are empty, and a target may be a label.
 *
 * @throws Refusal with a pointer to the member at fault.
 */
export function questionWithoutModel(asked: ExplanationAsked, image: string): Question {
  const { target, score } = splitTarget(asked.target);
  const models = { model: '', preprocessing: '', numerics_version: numericsVersion };
  return { ...resolveMethod(asked, score), image, ...models, layers: asked.layers, target };
}

/** Methods that need only a network's scores: suggestions if another method does not work. */
const undemanding = ['occlusion', 'rise', 'kernel-shap'];

function checkMethod(method: string, { name, methods: reasons }: CatalogModel): void {
  const reason = getOwn(reasons, method);
  if (reason === null) return;
  const others = undemanding.filter((id) => getOwn(reasons, id) === null);
  const hint = others.length > 0 ? ` These methods need no gradients: ${others.join(', ')}.` : '';
  throw refuse(
    'method_not_supported',
    '/method',
    `${method} does not work on ${name}: ${reason ?? 'the worker does not have it'}.${hint}`,
  );
}

/** Checks that the model has these layers, if its layers are known. */
function checkLayers(asked: readonly string[], { name, layers }: CatalogModel): void {
  if (!layers) return;
  const names = layers.flat();
  const missing = asked.findIndex((layer) => !names.includes(layer) && !isCounted(layer, layers.length));
  if (missing === -1) return;
  const plain = names.filter((layer) => /^[\x20-\x7e]{1,100}$/.test(layer));
  const some = plain.slice(0, 3).map((layer) => `"${layer}", `);
  throw refuse(
    'invalid_parameter',
    `/layers/${missing}`,
    `${name} has no layer "${asked[missing]}".${didYouMean(asked[missing]!, plain)} ` +
      `It has ${layers.length}, the last first: ${some.join('')}or by number "-1" to "-${layers.length}".`,
  );
}

/** Whether `layer` is a layer's number from the end: `-1` is the last. */
const isCounted = (layer: string, count: number): boolean => /^-\d+$/.test(layer) && -Number(layer) <= count;

/** The question of a prediction. */
export const predictionQuestion = (image: string, model: CatalogModel): Question => ({
  image,
  model: model.digest,
  preprocessing: model.preprocessing,
  method: predictionMethod,
  method_version: '1',
  numerics_version: numericsVersion,
  convention: 'paper',
  parameters: {},
  layers: [],
  target: 'predicted',
});

/** Resolves all but model and target. An error of the engine becomes a refusal of the member that it names. */
function resolveMethod(
  { method, convention, parameters, layers }: ExplanationAsked,
  score: ScoreName | undefined,
): ResolvedQuestion {
  const ids = methods.map(({ id }) => id);
  if (!ids.includes(method))
    throw refuse('invalid_parameter', '/method', `There is no method "${method}".${didYouMean(method, ids)}`);
  try {
    return resolveQuestion({ method, convention, parameters, layers, score });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { member = [], message } = error;
    throw refuse('invalid_parameter', member[0] === 'score' ? '/target/score' : pointerOf(member), message);
  }
}

/** `name`, `name@sha256:…`, or nothing for the default model. */
export function findModel(reference: string | undefined, { models }: Catalog): CatalogModel | undefined {
  const [name, digest] = reference?.split('@', 2) ?? [];
  return models.find((candidate) =>
    reference === undefined
      ? candidate.default
      : candidate.name === name && (digest === undefined || candidate.digest === digest),
  );
}

export const noSuchModel = (reference: string, names: readonly string[]): Refusal =>
  refuse(
    'resource_not_found',
    '/model',
    `There is no such model.${didYouMean(reference.split('@', 1)[0] ?? '', names)}`,
  );

/** The target of a request in the form that questions have, and the score to explain, if the request names one. */
function splitTarget(asked: TargetRequest): { target: TargetSpec; score?: ScoreName } {
  if (typeof asked === 'string' || !('type' in asked)) return { target: asked };
  const { index = 'predicted', label, terms, score } = asked;
  const said = score && { score };
  if (terms) return { target: { terms }, ...said };
  if (label !== undefined) return { target: { label }, ...said };
  return { target: index === 'predicted' ? index : { class_index: index }, ...said };
}

const pointerOfIndex = (asked: TargetRequest): string =>
  typeof asked === 'object' && 'type' in asked ? '/target/index' : '/target/class_index';

function resolveTarget(target: TargetSpec, pointer: string, model: CatalogModel): TargetSpec {
  if (target === 'predicted') return target;
  if ('label' in target) return findTarget(target.label, model);
  if ('terms' in target) {
    for (const [i, { class_index: index }] of target.terms.entries())
      if (index !== 'predicted') checkClass(index, `/target/terms/${i}/class_index`, model);
    return target;
  }
  checkClass(target.class_index, pointer, model);
  return target;
}

function checkClass(index: number, pointer: string, { name, classes }: CatalogModel): void {
  if (index >= classes)
    throw refuse(
      'target_out_of_range',
      pointer,
      `${name} has ${classes} classes: expected 0 to ${classes - 1}, got ${index}.`,
    );
}

/**
 * The class of this English or Chinese name; a name that two classes share has to be given by index. A model of one
 * output has names for that output and its negation.
 */
function findTarget(label: string, model: CatalogModel): TargetSpec {
  const { name } = model;
  const labels = model.classes === 1 ? namesOfOne(model.labels) : model.labels;
  const wanted = fold(label);
  const matches = (labels ?? []).flatMap(({ en, zh }, index) =>
    fold(en) === wanted || (zh !== null && fold(zh) === wanted) ? [index] : [],
  );
  if (matches.length === 1)
    return matches[0]! < model.classes
      ? { class_index: matches[0]! }
      : { terms: [{ class_index: 0, weight: -1 }] };
  if (matches.length > 1)
    throw refuse(
      'invalid_parameter',
      '/target/label',
      `"${label}" names the classes ${matches.join(' and ')}. Send target.class_index instead.`,
    );
  const hint = didYouMean(
    label,
    (labels ?? []).flatMap(({ en, zh }) => (zh === null ? [en] : [en, zh])),
  );
  throw refuse('target_out_of_range', '/target/label', `${name} has no class "${label}".${hint}`);
}

type Labels = NonNullable<CatalogModel['labels']>;

/** [positive, negative] of a lone output, whose labels are [negative, positive] or its own. */
function namesOfOne(labels: Labels | null): Labels | null {
  const [first, second] = labels ?? [];
  if (!first) return labels;
  if (second) return [second, first];
  return [first, { en: `not ${first.en}`, zh: first.zh && `非${first.zh}` }];
}

const fold = (text: string): string => text.normalize('NFC').replaceAll('_', ' ').trim().toLowerCase();

const refuse = (code: RefusalCode, pointer: string, message: string): Refusal =>
  new Refusal(code, message, [{ pointer, code, message }]);
