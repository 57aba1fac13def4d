import { InputError, recommendedFor } from '@whylight/core';
import { methods } from '@whylight/core/methods';
import { classifierOf, type RegisteredModel } from '@whylight/host';
import type { ExplainOptions } from './options.ts';
import { questionFor } from './questions.ts';

/** Method that works on most networks, for a network whose file does not tell which methods suit it. */
const usual = 'grad-cam';

/**
 * Chooses the method if the user names none: of those that suit the model, the best that takes the given options.
 *
 * @param direct whether the method must be one run of one graph, as for a video
 */
export async function defaultMethod(
  model: RegisteredModel,
  options: ExplainOptions,
  direct = false,
): Promise<string> {
  const takes = (id: string): boolean => {
    const method = methods.find((known) => known.id === id)!;
    if (direct && method.sampled) return false;
    return refusalOf(() => questionFor(id, [id], options)) === undefined;
  };
  return (await suiting(model)).find(takes) ?? usual;
}

/** Empty for a model that cannot be read without more options: explaining it says what is missing. */
async function suiting(model: RegisteredModel): Promise<readonly string[]> {
  try {
    return recommendedFor(await classifierOf(model));
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

function refusalOf(act: () => unknown): InputError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
