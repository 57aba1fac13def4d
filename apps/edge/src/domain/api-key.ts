import { base32 } from './ulid.ts';

/**
 * `wl_live_<kid>_<secret>_<crc>`: the id under which the key is stored, 160 random bits of which only the
 * SHA-256 is stored, and a CRC-32 of the rest, so that a mistyped key costs no look-up and secret scanners
 * know one when they see it.
 */
const shape = /^(wl_live_([0-9A-HJKMNP-TV-Z]{26})_([0-9A-HJKMNP-TV-Z]{32}))_([0-9a-f]{8})$/;

export interface ApiKey {
  /** `key_<ulid>`. */
  readonly id: string;
  readonly secret: string;
}

/** The text of a key with this id and a fresh secret. */
export function mintKey(id: string): ApiKey & { text: string } {
  const secret = base32(crypto.getRandomValues(new Uint8Array(20)));
  const body = `wl_live_${id.slice('key_'.length)}_${secret}`;
  return { id, secret, text: `${body}_${crc32(body)}` };
}

/** The key in `text`, or null when its form or checksum is wrong. */
export function parseKey(text: string): ApiKey | null {
  const [, body, kid, secret, crc] = shape.exec(text) ?? [];
  if (!body || !kid || !secret || crc !== crc32(body)) return null;
  return { id: `key_${kid}`, secret };
}

/** CRC-32 (ISO 3309) of ASCII text, as eight hex digits. */
function crc32(text: string): string {
  let crc = 0xffffffff;
  for (const char of text) {
    crc ^= char.charCodeAt(0);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}
