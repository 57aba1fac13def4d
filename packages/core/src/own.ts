/**
 * The member of a record that has this very name; `undefined` for what every object inherits (`toString`, `constructor`,
 * `__proto__`). Whoever looks up a name that came from outside does it with this.
 */
export const getOwn = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
