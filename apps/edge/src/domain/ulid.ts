const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Bytes as Crockford base 32, most significant bits first. */
export function base32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  const length = Math.ceil((bytes.length * 8) / 5);
  return Array.from(
    { length },
    (_, i) => alphabet[Number((bits >> BigInt(5 * (length - 1 - i))) & 31n)],
  ).join('');
}

/** 48 bits of milliseconds, 80 random bits: sorts by time. */
export function ulid(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 255;
  return base32(bytes);
}

export type IdPrefix = 'ten' | 'key' | 'upl' | 'exp' | 'mdl' | 'evt' | 'req' | 'bat' | 'whk';

export const newId = (prefix: IdPrefix): string => `${prefix}_${ulid()}`;

/** Whether `text` could be an id that `newId(prefix)` made; anything else needs no look-up. */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.startsWith(`${prefix}_`) && /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text.slice(prefix.length + 1));
