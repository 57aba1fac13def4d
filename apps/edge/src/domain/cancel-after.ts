import { Refusal } from './refusal.ts';

const longest = 24 * 3600;

/** The usual spellings, for the OpenAPI document; `cancelAfter` also takes others of the same times, such as `90m`. */
export const cancelAfterPattern =
  '^((1?[1-9]|10|2[0-3])h([1-5]?[0-9]m)?([1-5]?[0-9]s)?|[1-5]?[0-9]m[1-5]?[1-9]s|[1-5]?[1-9]m|[1-9][0-9]{0,3}s?)$';

/** Milliseconds of `Cancel-After: 90`, `90s` or `1h30m`; null without one. @throws Refusal `invalid_parameter`. */
export function cancelAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const [, alone, hours, minutes, seconds] =
    /^(?=\d)(?:(\d{1,6})|(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?)$/.exec(header.trim()) ?? [];
  const total =
    Number(alone ?? 0) + Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  if (total >= 1 && total <= longest) return total * 1000;
  throw new Refusal('invalid_parameter', 'Cancel-After: expected 1s to 24h, such as 90s or 1h30m.');
}
