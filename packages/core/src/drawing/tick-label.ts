/** Writes three significant digits, without trailing zeros; with a power of ten if that would be long. */
export function tickLabel(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const magnitude = Math.abs(rounded);
  const text =
    rounded !== 0 && (magnitude < 0.001 || magnitude >= 10_000) ? rounded.toExponential() : String(rounded);
  return text.replaceAll('-', '−');
}
