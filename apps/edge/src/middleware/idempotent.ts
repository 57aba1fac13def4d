import { canonicalJson, sha256Hex } from '@whylight/contract';
import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { type Answer, type Claim, idempotencyKey } from '../domain/idempotency.ts';
import { Refusal } from '../domain/refusal.ts';
import { withoutSignedUrls } from '../domain/signed-links.ts';
import { type IdPrefix, newId } from '../domain/ulid.ts';
import { measure } from '../timing.ts';

/** Headers that the service stores with an answer and sends again with it. */
const replayed = ['Content-Type', 'Location', 'Cache-Status', 'Preference-Applied'];

type Refresh = (c: Context<AppEnv>, body: string) => string | Promise<string>;

const keep: Refresh = (_, body) => body;

/**
 * Answers a repeated request with the answer of the first. Sets `newId`, the id of what the handler creates. If the first
 * request died on the way, its repetition gets the same id, so that nothing is created twice. `refresh` makes again what is not
 * stored of an answer.
 */
export function idempotent(prefix: IdPrefix, refresh: Refresh = keep): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = idempotencyKey(c.req.header('Idempotency-Key'));
    const id = newId(prefix);
    if (key === null) {
      c.set('newId', id);
      return next();
    }
    const scope = JSON.stringify([c.var.caller.tenant, c.req.method, c.req.path, key]);
    const store = c.var.services.idempotency(await sha256Hex(scope));
    const body = await sha256Hex(canonicalJson(await c.req.json()));
    const claim = await measure(c, 'idempotency', async (): Promise<Claim> => await store.claim(body, id));
    switch (claim.outcome) {
      case 'replay':
        return c.body(await refresh(c, claim.answer.body), claim.answer.status as 200, {
          ...claim.answer.headers,
          'Idempotent-Replayed': 'true',
        });
      case 'in_progress':
        throw new Refusal(
          'idempotency_in_progress',
          'The service is still answering an earlier request with this Idempotency-Key. Try again in a moment.',
        );
      case 'reused':
        throw new Refusal(
          'idempotency_key_reused',
          'An earlier request used this Idempotency-Key with another body. Send a new key.',
        );
    }
    c.set('newId', claim.id);
    await next();
    if (c.res.ok) await store.settle(await readAnswer(c.res));
    else await (c.res.status >= 500 ? store.fail() : store.release());
  };
}

async function readAnswer(response: Response): Promise<Answer> {
  const headers = replayed.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  return {
    status: response.status,
    headers: Object.fromEntries(headers),
    body: withoutSignedUrls(await response.clone().text()),
  };
}
