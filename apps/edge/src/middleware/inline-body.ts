import { inlineLimits } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from '../app-env.ts';
import { Refusal } from '../domain/refusal.ts';
import { checkDepth } from '../domain/strict-json.ts';
import { checkPlainJson } from './plain-body.ts';

/** Refuses a body that is too large or nested too deep. A body with photos in it may be larger than others. */
export const inlineBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  checkPlainJson(c);
  await limit(c, async () => checkDepth(await c.req.text()));
  return next();
};

/** The same for a body in the form of KServe's V2, which its handler reads: JSON, and perhaps bytes behind it. */
export const tensorBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  checkPlainJson(c, 'application/octet-stream');
  await limit(c, async () => void (await c.req.arrayBuffer()));
  return next();
};

const limit = bodyLimit({
  maxSize: inlineLimits.max_bytes,
  onError: () => {
    throw new Refusal(
      'payload_too_large',
      `A body with photos in it is at most ${inlineLimits.max_bytes} bytes. Upload larger photos by signed URL.`,
    );
  },
});
