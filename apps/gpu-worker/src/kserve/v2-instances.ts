import { placeOfFile, type V2Input } from '@whylight/contract/kserve';
import { float32, row } from '@whylight/core';
import { type Instance, photoFrom, photoOf } from './instance.ts';

/** The images of a request in V2's form. @throws Refusal */
export function instancesOf({ files, batch }: V2Input): Instance[] {
  if (files)
    return files.map((file, n) =>
      typeof file === 'string' ? photoOf(file, placeOfFile(n)) : photoFrom(file, placeOfFile(n)),
    );
  const tensor = float32(batch.shape, batch.data);
  return Array.from({ length: batch.shape[0]! }, (_, n) => ({ tensor: row(tensor, n) }));
}
