import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the user's models are: `$WHYLIGHT_HOME/models`, else `whylight/models` in the user's data directory. */
export function storeDirectory(): string {
  const { WHYLIGHT_HOME, XDG_DATA_HOME } = process.env;
  if (WHYLIGHT_HOME) return join(WHYLIGHT_HOME, 'models');
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'whylight', 'models');
}

/** What the environment of the process says. */
export const environment = (): Readonly<NodeJS.ProcessEnv> => process.env;
