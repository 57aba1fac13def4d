import { Validator } from '@cfworker/json-schema';
import { api } from '../documented.ts';

interface Schema {
  readonly $ref?: string;
  readonly enum?: readonly unknown[];
  readonly type?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** A value and a member that no release has yet. */
export const ofTomorrow = 'of_tomorrow';
const more = { [ofTomorrow]: { any: 'thing' } };

/**
 * An answer as a later release might give it: one member more in each object whose members the document names, and another
 * value wherever the document says that there may be others.
 */
export function grown(value: unknown, schema: Schema): unknown {
  if (schema.$ref?.endsWith('/AnsweredTarget')) return { type: ofTomorrow, score: ofTomorrow, ...more };
  const { anyOf, oneOf, items, properties } = resolved(schema);
  const alternatives = (anyOf ?? oneOf)?.map(resolved);
  if (alternatives && typeof value === 'string')
    return alternatives.some(({ type, enum: known }) => type === 'string' && !known) ? ofTomorrow : value;
  if (alternatives && !properties) {
    const chosen = (anyOf ?? oneOf)!.find((each) => isOf(value, each));
    return chosen ? grown(value, chosen) : value;
  }
  if (Array.isArray(value)) return items ? value.map((item) => grown(item, items)) : value;
  if (typeof value !== 'object' || value === null || !properties) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return [name, known ? grown(member, known) : member];
  });
  return { ...Object.fromEntries(members), ...more };
}

function resolved(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : resolved(api.components.schemas![name] as Schema);
}

const isOf = (value: unknown, schema: Schema): boolean =>
  new Validator({ ...schema, components: api.components } as never, '2020-12', true).validate(value).valid;
