import { methods, type ResolvedQuestion, resolveQuestion } from '@whylight/core/methods';
import type { ExplainOptions } from './options.ts';
import { parametersFor } from './parameters.ts';
import { kindOf } from './scores.ts';

type Asked = ExplainOptions & { readonly target?: ResolvedQuestion['target'] };

/**
 * What the options ask of a method, which is one of `all` that they ask of: a parameter or a layer need not be for each of
 * them. Here options become what the engine takes; nothing after it resolves them again.
 *
 * @throws InputError
 */
export function questionFor(method: string, all: readonly string[], asked: Asked): ResolvedQuestion {
  const { convention, param = {}, target } = asked;
  const score = kindOf(asked.score);
  const layers = layersFor(method, all, asked.layer);
  const parameters = parametersFor(method, all, param);
  return resolveQuestion({ method, convention, score, parameters, layers, target });
}

/** With several methods, only those that use a layer get the layers. A single method always gets them, so that the engine refuses them if it uses none. */
export const layersFor = (
  method: string,
  all: readonly string[],
  layers: readonly string[] = [],
): readonly string[] =>
  all.length === 1 || methods.find(({ id }) => id === method)?.needs.includes('layer') ? layers : [];
