import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an Authorization header carries the key. How long it takes tells nothing of the key. */
export function carriesKey(header: string | undefined, key: string): boolean {
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(header ?? '') ?? [];
  return timingSafeEqual(digest(given), digest(key));
}

/** Digests are of one length, whatever was sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
