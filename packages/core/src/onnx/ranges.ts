interface Range {
  readonly offset: number;
  readonly length: number;
}

/** Finds the first two ranges that overlap but are not equal. */
export function overlapOf<R extends Range>(ranges: readonly R[]): readonly [R, R] | undefined {
  const ordered = ranges.filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset);
  let [last] = ordered;
  for (const range of ordered.slice(1)) {
    const same = range.offset === last!.offset && range.length === last!.length;
    if (!same && range.offset < last!.offset + last!.length) return [last!, range];
    last = range;
  }
  return undefined;
}
