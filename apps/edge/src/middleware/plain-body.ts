import type { Context } from 'hono';
import { Refusal } from '../domain/refusal.ts';

/**
 * Checks that a body is JSON as it is. A compressed body could be larger than any limit once it is unpacked, so none is taken.
 *
 * @param other another type that the body may have
 * @throws Refusal `unsupported_media_type`
 */
export function checkPlainJson(c: Context, other?: string): void {
  const encoding = c.req.header('Content-Encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity')
    throw new Refusal(
      'unsupported_media_type',
      'Send the body without Content-Encoding: the service does not unpack bodies.',
    );
  const [type = ''] = (c.req.header('Content-Type') ?? '').toLowerCase().split(/\s*;/);
  const types = ['application/json', ...(other === undefined ? [] : [other])];
  if (!types.includes(type))
    throw new Refusal('unsupported_media_type', `Send the body as ${types.join(' or ')}.`);
}
