import type { WhylightClient } from '@whylight/client';
import type { Upload } from '@whylight/contract';
import { servicePhotoTypes, sniffMediaType } from '@whylight/host';
import { UsageError } from '../failure.ts';
import { readBytes } from '../files.ts';

/** Uploads a file, with the type that its bytes show. @throws UsageError, ProblemError */
export async function sendPhoto(client: WhylightClient, path: string): Promise<Upload> {
  const bytes = await readBytes(path);
  const media = sniffMediaType(bytes);
  if (!(servicePhotoTypes as readonly string[]).includes(media?.type ?? ''))
    throw new UsageError(`${path}: expected JPEG, PNG or WebP, got ${media?.name ?? 'an unknown type'}`);
  return client.upload(bytes, media!.type);
}
