import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface DemoPhoto {
  readonly jpeg: Uint8Array<ArrayBuffer>;
  /** The subject of the photo. */
  readonly shows: string;
}

/** Reads the photo that comes with the project; NOTICE states its owner. */
export async function demoPhoto(): Promise<DemoPhoto> {
  const jpeg = await readFile(fileURLToPath(new URL('../../photos/coffee.jpg', import.meta.url)));
  return { jpeg: new Uint8Array(jpeg), shows: 'a cup of coffee' };
}
