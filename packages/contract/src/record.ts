import { z } from 'zod';

/**
 * An object whose member names the sender chooses. It keeps all members: `z.record` would silently drop a member called
 * `__proto__`.
 */
export function recordOf<V extends z.ZodType>(names: z.ZodString, values: V) {
  const ordinary = z.record(names, values);
  // The generator of the OpenAPI document cannot see what `superRefine` checks, so this states it.
  const { additionalProperties, propertyNames } = z.toJSONSchema(ordinary, {
    io: 'input',
    unrepresentable: 'any',
  });
  return z
    .custom<Record<string, z.input<V>>>()
    .superRefine((given, context) => {
      const complain = (issues: readonly z.core.$ZodIssue[] = [], ...below: string[]) => {
        for (const { path, ...issue } of issues)
          context.addIssue({ ...issue, path: [...below, ...path], continue: false });
      };
      complain(ordinary.safeParse(given).error?.issues);
      if (typeof given !== 'object' || given === null || !Object.hasOwn(given, proto)) return;
      complain(names.safeParse(proto).error?.issues, proto);
      complain(values.safeParse(given[proto]).error?.issues, proto);
    })
    .meta({ type: 'object', additionalProperties, propertyNames });
}

const proto = '__proto__';
