import { z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { didYouMean } from '../domain/nearest.ts';
import { Refusal } from '../domain/refusal.ts';
import { pointerOf } from '../domain/validation.ts';

/** A whole number in a query, in digits alone: `1e2` and `0x10` are refused. */
export const wholeNumber = (least: number, most: number, usual: number) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,8})$/, `Expected a whole number from ${least} to ${most}.`)
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .default(usual)
    .meta({ type: 'integer', minimum: least, maximum: most, default: usual, pattern: undefined });

/** Refuses query parameters that a route does not have: the service would ignore a misspelt one. */
export function knownParameters(known: readonly string[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const unknown = [...new URL(c.req.url).searchParams.keys()].filter((name) => !known.includes(name));
    const [first] = unknown;
    if (first === undefined) return next();
    const errors = unknown.map((name) => ({
      pointer: pointerOf([name]),
      code: 'unknown_field',
      message: `There is no such query parameter.${didYouMean(name, known)}`,
    }));
    throw new Refusal('unknown_field', `?${first}: ${errors[0]!.message}`, errors);
  };
}
