import type { z } from 'zod';
import { InputError } from '../errors.ts';
import { nearestName } from '../onnx/nearest-name.ts';
import { getOwn } from '../own.ts';
import type { Convention, Method, Params } from './method.ts';
import type { Parameters } from './question.ts';
import { fusions } from './shared/cam.ts';

/**
 * Every parameter that the method has under the convention, from those that are given.
 *
 * @throws InputError invalid_parameter
 */
export function settledParameters(method: Method, convention: Convention, asked: Params = {}): Parameters {
  const shape = shapeOf(method);
  const current = Object.entries(asked).filter(([name, value]) => !isFormer(method, name, value));
  const given = current.map(([name, value]) => {
    const only = getOwn(method.only ?? {}, name);
    const instead = getOwn(method.instead ?? {}, name);
    if (only && !only.includes(convention))
      throw new InputError(
        'invalid_parameter',
        `parameter "${name}" of ${method.id} exists only under the convention ${only.join(', ')}, not ${convention}${instead === undefined ? '' : `; ${instead}`}`,
        ['parameters', name],
      );
    const schema = getOwn(shape, name);
    return [name, typeof value === 'string' && schema ? coerced(value, schema) : value] as const;
  });
  const parsed = method.parameters.safeParse({
    ...method.defaults?.[convention],
    ...Object.fromEntries(given),
  });
  if (!parsed.success) throw complaint(method, parsed.error.issues[0]!, Object.fromEntries(given));
  const all = Object.entries(parsed.data as Parameters);
  return Object.fromEntries(
    all.filter(([name]) => getOwn(method.only ?? {}, name)?.includes(convention) ?? true),
  );
}

/**
 * Whether a method had such a parameter once, which changed nothing: jobs that were queued by an older release have it, and
 * clients may still send it.
 */
const isFormer = ({ singleLayer }: Method, name: string, value: unknown): boolean =>
  name === 'fuse' && singleLayer === true && fusions.some((fusion) => fusion === value);

/** What a method's formula takes: its resolved parameters, and those that its convention does not have at their defaults. */
export const formulaParameters = (method: Method, parameters: Parameters): Parameters => ({
  ...(method.parameters.parse({}) as Parameters),
  ...parameters,
});

const shapeOf = (method: Method): Readonly<Record<string, z.ZodType>> =>
  (method.parameters as unknown as z.ZodObject).shape;

/** `50`, `3,8,8`, `true` and `zero` as what the parameter takes; what it does not take as what it looks like. */
function coerced(text: string, schema: z.ZodType): unknown {
  const list = () => text.split(',').map((part) => Number(part));
  const candidates: unknown[] = [text];
  if (text.trim() !== '') candidates.push(Number(text), list());
  if (text === 'true' || text === 'false') candidates.push(text === 'true');
  const number = candidates.find((candidate) => Number.isFinite(candidate));
  return candidates.find((candidate) => schema.safeParse(candidate).success) ?? number ?? text;
}

function complaint(method: Method, issue: z.core.$ZodIssue, given: Params): InputError {
  const about = (name: string, message: string) =>
    new InputError('invalid_parameter', message, ['parameters', name]);
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0]!;
    const known = Object.keys(shapeOf(method));
    const near = nearestName(name, known);
    const meant = near === undefined ? '' : `did you mean "${near}"? `;
    const all = known.length > 0 ? `it has ${known.join(', ')}` : 'it has none';
    return about(name, `${method.id} has no parameter "${name}"; ${meant}${all}`);
  }
  const name = String(issue.path[0]);
  return about(
    name,
    `parameter "${name}" of ${method.id}: ${issue.message.replace(/^Invalid input: |, received .*$/g, '')}, got ${JSON.stringify(getOwn(given, name))?.slice(0, 80)}`,
  );
}
