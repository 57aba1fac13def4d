import type { Upload } from '@whylight/contract';
import { uploadStatus } from './domain/upload.ts';
import type { Services } from './services.ts';
import { type Objects, urlLifetime } from './storage/objects.ts';
import type { UploadRow } from './storage/uploads.ts';

/** What has become of an upload. The store is asked each time: it alone knows. */
export async function statusOf(objects: Objects, row: UploadRow): Promise<Upload['status']> {
  return uploadStatus(row, await objects.head(row.object), urlLifetime, Date.now());
}

/** The tenant's upload of these bytes that has arrived, if one has. */
export async function findReady(
  { uploads, objects }: Services,
  tenant: string,
  sha256: string,
): Promise<UploadRow | null> {
  for (const row of await uploads.ofContent(tenant, sha256))
    if ((await statusOf(objects, row)) === 'ready') return row;
  return null;
}
