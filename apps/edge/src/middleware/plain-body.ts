import type { Context } from 'hono';
import { Refusal } from '../domain/refusal.ts';

/**
 * Checks that a body is JSON as it is. A compressed body could be larger than any limit once it is unpacked, so none is taken.
 *
 * @throws Refusal `unsupported_media_type`
 */
export function checkPlainJson(c: Context): void {
  const encoding = c.req.header('Content-Encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity')
    throw new Refusal(
      'unsupported_media_type',
      'Send the body without Content-Encoding: the service does not unpack bodies.',
    );
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? ''))
    throw new Refusal('unsupported_media_type', 'Send the body as application/json.');
}
