import { z } from 'zod';
import { InputError } from '../errors.ts';
import { isValueScore, type ValueScoreText } from '../model/score-spec.ts';
import { nearestName } from '../onnx/nearest-name.ts';
import type { ScoreKind } from '../targets.ts';
import { methods } from './list.ts';
import { type Convention, conventions, type Method, needsOf, type Params } from './method.ts';
import { settledParameters } from './parameters.ts';
import type { AskedQuestion, Parameters, ResolvedQuestion } from './question.ts';

/** The method of a question, as an explainer names it. */
export interface ResolvedMethod {
  readonly id: string;
  readonly version: string;
  readonly convention: Convention;
  /** The kind of score that is explained. */
  readonly score: ScoreKind;
  /** Every parameter that the method has under the convention, defaults filled in. */
  readonly parameters: Parameters;
}

/**
 * Settles what a question leaves open: strings are read as the parameter's type, defaults are filled in, a score has one
 * name, so that spelling a default and leaving it out come to the same. What another process has resolved comes out as it
 * is, if this release would resolve it so.
 *
 * @throws InputError unknown_method, invalid_parameter
 */
export function resolveQuestion(asked: AskedQuestion): ResolvedQuestion {
  const { layers = [], target = 'predicted' } = asked;
  const { method: wanted, parameters, convention, score } = asked;
  const method = resolveMethod({ method: wanted, convention, parameters, score });
  checkLayerCount(method, layers.length);
  return {
    method: method.id,
    method_version: method.version,
    convention: method.convention,
    parameters: method.parameters,
    layers,
    score: method.score,
    target,
  };
}

interface AskedMethod {
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly parameters?: Params | undefined;
  /** A number that the network computes stands in place of the classes: their logits, for the method. */
  readonly score?: ScoreKind | ValueScoreText | undefined;
}

/**
 * The method of a question with its parameters. Those of a resolved one are taken as they are.
 *
 * @throws InputError unknown_method, invalid_parameter
 */
export function resolveMethod(asked: AskedMethod | ResolvedQuestion): ResolvedMethod {
  if ('method_version' in asked) {
    const { method: id, method_version: version, convention, score, parameters } = asked;
    return { id, version, convention, score, parameters };
  }
  const method = findMethod(asked.method);
  const convention = asked.convention ?? 'paper';
  if (!method.conventions.includes(convention))
    throw new InputError(
      'invalid_parameter',
      conventions.includes(convention)
        ? `${method.id} has no convention "${convention}"; it has ${method.conventions.join(', ')}`
        : `convention "${convention}" is unknown; there are ${conventions.join(', ')}`,
      ['convention'],
    );
  const kind = asked.score !== undefined && isValueScore(asked.score) ? 'logit' : asked.score;
  const score = otherNames[kind ?? ''] ?? kind ?? defaultScore(method, convention);
  if (method.logitsOnly && score !== 'logit')
    throw new InputError(
      'invalid_parameter',
      `${method.id} explains logits only, not the score "${asked.score}"; use score logit`,
      ['score'],
    );
  return {
    id: method.id,
    version: method.version,
    convention,
    score,
    parameters: settledParameters(method, convention, asked.parameters),
  };
}

const otherNames: Readonly<Record<string, ScoreKind | undefined>> = {
  softmax: 'probability',
  'log-softmax': 'log-probability',
};

/** Libraries explain what the model gives. */
export const defaultScore = ({ score, logitsOnly }: Method, convention: Convention): ScoreKind =>
  score ?? (convention === 'paper' || logitsOnly ? 'logit' : 'output');

/** Checks that a method takes so many layers. @throws InputError `invalid_parameter` */
export function checkLayerCount(
  { id, convention, parameters }: Pick<ResolvedMethod, 'id' | 'convention' | 'parameters'>,
  count: number,
): void {
  const method = findMethod(id);
  const { singleLayer } = method;
  if (count > 0 && !needsOf(method, parameters).includes('layer'))
    throw new InputError(
      'invalid_parameter',
      `${id} looks at no layer, but ${count === 1 ? 'one was' : 'layers were'} given`,
      ['layers'],
    );
  if (count > 1 && (singleLayer || convention === 'captum'))
    throw new InputError(
      'invalid_parameter',
      `${id}${singleLayer ? '' : ' under the captum convention'} takes one layer, got ${count}`,
      ['layers'],
    );
}

/** Whether what is asked for looks at layers. */
export const takesLayers = (asked: AskedMethod | ResolvedQuestion): boolean => {
  const { id, parameters } = resolveMethod(asked);
  return needsOf(findMethod(id), parameters).includes('layer');
};

const didYouMean = (id: string): string | undefined => {
  const near = nearestName(
    id,
    methods.map((method) => method.id),
  );
  return near && `did you mean "${near}"?`;
};

export function findMethod(id: string): Method {
  const method = methods.find((m) => m.id === id);
  if (!method)
    throw new InputError(
      'unknown_method',
      `there is no method ${JSON.stringify(id.slice(0, 80))}; ${didYouMean(id) ?? 'the command "whylight methods" and GET /v1/methods list all methods'}`,
      ['method'],
    );
  return method;
}

/** JSON Schema of a method's parameters. */
export const paramsJsonSchema = (id: string): object =>
  z.toJSONSchema(findMethod(id).parameters, { io: 'input' });
