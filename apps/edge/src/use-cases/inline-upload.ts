import type { InlinePhoto } from '../domain/inline-photo.ts';
import type { Services } from '../services.ts';
import type { UploadRow } from '../storage/uploads.ts';
import { findReady } from './arrivals.ts';

/**
 * Stores an inline photo as an upload, or finds the upload of the same bytes. Only here do image bytes pass through the
 * gateway, so inline photos have a limit of their own.
 *
 * @throws Refusal `storage_unavailable`
 */
export async function uploadInline(
  services: Services,
  tenant: string,
  { bytes, type, sha256 }: InlinePhoto & { readonly sha256: string },
): Promise<UploadRow> {
  const known = await findReady(services, tenant, sha256);
  if (known) return known;
  const announced = { content_type: type, content_length: bytes.length, sha256 };
  const row = await services.uploads.create(tenant, announced);
  await services.tenantCleanup(tenant).schedule(tenant);
  await services.objects.put(row.object, bytes, type);
  return row;
}
