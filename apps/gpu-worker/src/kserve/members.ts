import { nearestName } from '@whylight/core/methods';
import type { z } from 'zod';
import { described } from './instance.ts';
import { Refusal } from './refusal.ts';

export type Members = Readonly<Record<string, unknown>>;

/** A JSON object. @throws Refusal */
export function objectOf(value: unknown, where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, `${where}: expected an object; got ${described(value)}`);
  return value as Members;
}

/** Refuses members that nobody knows, with the name that was probably meant. @throws Refusal */
export function checkMembers(given: Members, known: readonly string[], where: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, known);
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  const all = known.length > 0 ? `It has ${known.join(', ')}.` : 'It has none.';
  throw new Refusal(400, `${where}: there is no "${unknown.slice(0, 80)}".${meant} ${all}`);
}

/** `given` as the schema reads it. @throws Refusal that names the member at fault */
export function parsed<T>(schema: z.ZodType<T>, given: unknown, where: string): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new Refusal(400, `${[where, ...path.map(String)].join('.')}: ${message}`);
}
