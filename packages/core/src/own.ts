/**
 * Returns the record's own member of this name; `undefined` for members that every object inherits (`toString`,
 * `constructor`, `__proto__`). Use this function to look up any name that came from outside.
 */
export const getOwn = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
