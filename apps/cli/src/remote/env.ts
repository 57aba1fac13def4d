import { homedir } from 'node:os';
import { join } from 'node:path';

/** The path of the credentials file, in the user's configuration directory. */
export function credentialsPath(): string {
  const { XDG_CONFIG_HOME } = process.env;
  return join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'whylight', 'credentials.json');
}

/** Reads the environment's settings of a service, which precede those that `whylight login` has stored. */
export function serviceEnvironment(): { url?: string; apiKey?: string; operatorKey?: string } {
  const { WHYLIGHT_URL: url, WHYLIGHT_API_KEY: apiKey, WHYLIGHT_OPERATOR_KEY: operatorKey } = process.env;
  return { ...(url ? { url } : {}), ...(apiKey ? { apiKey } : {}), ...(operatorKey ? { operatorKey } : {}) };
}
