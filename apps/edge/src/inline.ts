import { type Instance, inlineLimits, sha256Hex } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from './app-env.ts';
import { findReady } from './arrivals.ts';
import { inlinePhoto } from './domain/inline-photo.ts';
import { Refusal } from './domain/refusal.ts';
import type { Services } from './services.ts';
import type { UploadRow } from './storage/uploads.ts';

/** The body of a request with photos in it: larger than others, and read as plain JSON. */
export const inlineBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? ''))
    throw new Refusal('unsupported_media_type', 'Send the body as application/json.');
  return limit(c, next);
};

const limit = bodyLimit({
  maxSize: inlineLimits.max_bytes,
  onError: () => {
    throw new Refusal(
      'payload_too_large',
      `A body with photos in it is at most ${inlineLimits.max_bytes} bytes: upload larger ones by signed URL.`,
    );
  },
});

/**
 * The upload that an inline photo becomes: known by its hash, put into the store under a name of ours. The one place
 * where image bytes pass through the gateway; hence the limit.
 *
 * @throws Refusal `invalid_parameter`, `unsupported_media_type`, `storage_unavailable`.
 */
export async function uploadInline(
  services: Services,
  tenant: string,
  instance: Instance,
  index: number,
): Promise<UploadRow> {
  const { bytes, type } = inlinePhoto(instance, index);
  const sha256 = await sha256Hex(bytes);
  const known = await findReady(services, tenant, sha256);
  if (known) return known;
  const announced = { content_type: type, content_length: bytes.length, sha256 };
  const row = await services.uploads.create(tenant, announced);
  await services.objects.put(row.object, bytes, type);
  return row;
}
