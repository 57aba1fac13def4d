import { InvalidArgumentError } from 'commander';

const units = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** `90`, `90s`, `15m`, `24h` or `7d` in seconds. */
export function seconds(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Expected a duration such as 90s, 15m or 24h.');
  return Number(count) * units.get(unit)!;
}
