import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from '../app-env.ts';
import { Refusal } from '../domain/refusal.ts';
import { parseStrictJson } from '../domain/strict-json.ts';
import { checkPlainJson } from './plain-body.ts';

export const largestBody = 65_536;

/** Refuses a body that is not JSON, larger than so many bytes, or JSON that two parsers could read in two ways. */
export function jsonBody(largest: number): MiddlewareHandler<AppEnv> {
  const limit = bodyLimit({
    maxSize: largest,
    onError: () => {
      throw new Refusal('payload_too_large', `The body is larger than ${largest} bytes.`);
    },
  });
  return async (c, next) => {
    checkPlainJson(c);
    await limit(c, async () => void parseStrictJson(await readText(c)));
    return next();
  };
}

/** Reads the body as text; Hono keeps it for the validator. */
async function readText(c: Context): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(await c.req.arrayBuffer());
  } catch (error) {
    if (error instanceof TypeError) throw new Refusal('invalid_json', 'The body is not UTF-8.');
    throw error;
  }
}
