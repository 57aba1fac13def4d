import { InputError, type ReadLimits } from '@whylight/core';
import { environment } from './env.ts';

/**
 * What models may be at most, as far as the environment says it: WHYLIGHT_MODEL_BYTES with external data, WHYLIGHT_MODEL_NODES,
 * and WHYLIGHT_MODEL_ELEMENTS of one value for one image.
 *
 * @throws InputError for what is no number
 */
export function modelLimits(env: Readonly<NodeJS.ProcessEnv> = environment()): Partial<ReadLimits> {
  const bytes = numberIn(env, 'WHYLIGHT_MODEL_BYTES');
  const nodes = numberIn(env, 'WHYLIGHT_MODEL_NODES');
  const elements = numberIn(env, 'WHYLIGHT_MODEL_ELEMENTS');
  return {
    ...(bytes !== undefined && { bytes, weights: bytes }),
    ...(nodes !== undefined && { nodes }),
    ...(elements !== undefined && { elements }),
  };
}

function numberIn(env: Readonly<NodeJS.ProcessEnv>, name: string): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InputError(
    'invalid_parameter',
    `${name}: expected a whole number from 1 to 10^15 - 1, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}
