import type { Job, Upload } from '@whylight/contract';
import { notFound, Refusal } from '../domain/refusal.ts';
import { urlLifetime } from '../domain/signed-links.ts';
import { isId } from '../domain/ulid.ts';
import { uploadStatus } from '../domain/upload.ts';
import type { Services } from '../services.ts';
import type { Objects } from '../storage/objects.ts';
import type { UploadRow } from '../storage/uploads.ts';

/** Finds the status of an upload: what the store says, until the cleanup has recorded that the upload failed. */
export async function statusOf(objects: Objects, row: UploadRow): Promise<Upload['status']> {
  if (row.final_status !== null && row.final_status !== 'ready') return row.final_status;
  return uploadStatus(row, await objects.head(row.object), urlLifetime, Date.now());
}

/** @throws Refusal `resource_not_found`, also if the upload is another tenant's */
export async function findUpload({ uploads }: Services, tenant: string, id: string): Promise<UploadRow> {
  const row = isId('upl', id) ? await uploads.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}

/** Deletes a photo for good. While its signed URL is valid, an empty object blocks its name. */
export async function eraseUpload(
  { objects, uploads, tenantCleanup }: Services,
  row: UploadRow,
): Promise<void> {
  if (Date.now() < Date.parse(row.created_at) + urlLifetime * 1000) {
    await objects.blockName(row.object);
    await tenantCleanup(row.tenant).deleteBlankLater(row.tenant, row.object);
  } else if (!(await objects.delete(row.object)))
    throw new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
  await uploads.delete(row.tenant, row.id);
}

/**
 * Deletes what was stored in the place of a photo, if its bytes are not the announced ones: while the object is there, the
 * store refuses the right ones. The upload then waits for its bytes as before.
 */
export async function freeMismatched(
  { objects }: Pick<Services, 'objects'>,
  { object, sha256 }: Pick<UploadRow, 'object' | 'sha256'>,
): Promise<void> {
  if ((await objects.digest(object)) === sha256) return;
  if (!(await objects.delete(object)))
    throw new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
}

/** Finds an upload of these bytes by this tenant that has arrived. */
export async function findReady(
  { uploads, objects }: Services,
  tenant: string,
  sha256: string,
): Promise<UploadRow | null> {
  for (const row of await uploads.listByHash(tenant, sha256))
    if ((await statusOf(objects, row)) === 'ready') return row;
  return null;
}

/** Gives the job's description of its photo. */
export const toJobInput = (row: UploadRow): Job['input'] => ({
  object: row.object,
  content_type: row.content_type,
  bytes: row.content_length,
});
