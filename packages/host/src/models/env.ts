import { homedir } from 'node:os';
import { join } from 'node:path';
import { getOwn, InputError, type ReadLimits } from '@whylight/core';

/** The folder of the user's models: `$WHYLIGHT_HOME/models`, else `whylight/models` in the user's data directory. */
export function storeDirectory(): string {
  const { WHYLIGHT_HOME, XDG_DATA_HOME } = process.env;
  if (WHYLIGHT_HOME) return join(WHYLIGHT_HOME, 'models');
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'whylight', 'models');
}

/**
 * Reads the limits of models from the environment: WHYLIGHT_MODEL_BYTES with external data, WHYLIGHT_MODEL_NODES, and
 * WHYLIGHT_MODEL_ELEMENTS of one value for one image.
 *
 * @throws InputError if a value is no number
 */
export function modelLimits(env: Readonly<NodeJS.ProcessEnv> = process.env): Partial<ReadLimits> {
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
  const text = getOwn(env, name);
  if (!text) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InputError(
    'invalid_parameter',
    `${name}: expected a whole number from 1 to 10^15 - 1, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}
