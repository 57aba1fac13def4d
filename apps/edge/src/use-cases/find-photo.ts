import type { ExplanationAsked } from '@whylight/contract';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import type { Services } from '../services.ts';
import type { UploadRow } from '../storage/uploads.ts';
import { findReady, findUpload, freeMismatched, statusOf } from './arrivals.ts';

export interface Photo {
  /** Null if the request names the photo by its hash: then any upload of these bytes will do. */
  readonly upload: string | null;
  readonly sha256: string;
}

/**
 * Finds the photo that a request names. Its bytes may not have arrived, or may just have been deleted.
 *
 * @throws Refusal `resource_not_found`
 */
export async function findPhoto(
  services: Services,
  tenant: string,
  input: ExplanationAsked['input'],
): Promise<Photo> {
  if ('sha256' in input) {
    const [known] = await services.uploads.listByHash(tenant, input.sha256);
    if (!known) throw notFound();
    return { upload: null, sha256: input.sha256 };
  }
  const sha256 = isId('upl', input.upload) ? await services.uploads.findHash(tenant, input.upload) : null;
  if (sha256 === null) throw notFound();
  return { upload: input.upload, sha256 };
}

/**
 * Finds an upload whose bytes have arrived: the one with this id, or another one of the same bytes.
 *
 * @throws Refusal `resource_not_found`, `upload_mismatch`, `upload_not_ready`
 */
export async function findArrived(
  services: Services,
  tenant: string,
  { upload: id, sha256 }: Photo,
): Promise<UploadRow> {
  const upload = id === null ? null : await findUpload(services, tenant, id);
  const status = upload ? await statusOf(services.objects, upload) : null;
  if (upload && status === 'ready') return upload;
  if (upload && status === 'rejected') {
    await freeMismatched(services, upload);
    throw new Refusal(
      'upload_mismatch',
      'The uploaded bytes differ from the announced ones. Send the announced bytes to the same URL; once it has expired, announce the photo again.',
    );
  }
  const other = await findReady(services, tenant, sha256);
  if (!other)
    throw new Refusal(
      'upload_not_ready',
      'The bytes of this upload have not arrived. PUT them to its URL, then send the request again.',
    );
  return other;
}
