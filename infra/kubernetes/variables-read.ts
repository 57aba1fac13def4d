/** Gives the names of the variables that `parse` asks for. It may refuse them. */
export function variablesRead(
  parse: (variables: Readonly<Record<string, string | undefined>>) => unknown,
  variables: Readonly<Record<string, string>>,
): string[] {
  const names = new Set<string>();
  const recorded = new Proxy(variables, {
    get(target, name) {
      names.add(String(name));
      return Reflect.get(target, name);
    },
  });
  try {
    parse(recorded);
  } catch {} // Whoever needs more says so; what it has asked for is known.
  return [...names];
}
