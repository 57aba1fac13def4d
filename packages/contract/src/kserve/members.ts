import type { z } from 'zod';
import { KServeFault, UnknownMember } from './fault.ts';

export type Members = Readonly<Record<string, unknown>>;

/** A JSON object. @throws KServeFault */
export function objectOf(value: unknown, where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KServeFault(400, `${where}: expected an object; got ${described(value)}`);
  return value as Members;
}

/** Refuses members that nobody knows. @throws UnknownMember */
export function checkMembers(given: Members, known: readonly string[], where: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UnknownMember(where, unknown, known);
}

/** `given` as the schema reads it. @throws KServeFault that names the member at fault */
export function parsed<T>(schema: z.ZodType<T>, given: unknown, where: string): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new KServeFault(400, `${[where, ...path.map(String)].join('.')}: ${message}`);
}

/** Describes a received value in few words. */
export function described(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string')
    return value.length > 40 ? `a text of ${value.length} characters` : JSON.stringify(value);
  return value === undefined ? 'nothing' : String(value);
}
