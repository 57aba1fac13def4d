import { checkSignature, clockFault } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from '../app-env.ts';
import { Refusal } from '../domain/refusal.ts';
import { workerSecrets } from '../env.ts';

/** Refuses calls that the worker has not signed. */
export const signedByWorker: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { pathname, search } = new URL(c.req.url);
  const call = {
    direction: 'worker-to-gateway',
    method: c.req.method,
    path: pathname + search,
    body: await c.req.text(),
  } as const;
  const headers = { get: (name: string) => c.req.header(name) };
  const secrets = workerSecrets(c.var.services.settings);
  const check = await checkSignature(secrets, call, headers, Date.now() / 1000);
  if (check.outcome === 'wrong_clock') throw new Refusal('wrong_clock', clockFault(check.seconds));
  if (check.outcome !== 'valid')
    throw new Refusal('invalid_signature', 'The worker has not signed this call.');
  return next();
};

/** Refuses a body of more than so many bytes. */
export const limitOf = (what: string, bytes: number): MiddlewareHandler<AppEnv> =>
  bodyLimit({
    maxSize: bytes,
    onError: () => {
      throw new Refusal('payload_too_large', `${what} is at most ${bytes / 1024} KiB.`);
    },
  });
