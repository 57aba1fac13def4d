import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface DemoPhoto {
  readonly jpeg: Uint8Array<ArrayBuffer>;
  /** What it is a photo of. */
  readonly shows: string;
}

/** The photo that the project brings along; NOTICE says whose it is. */
export async function demoPhoto(): Promise<DemoPhoto> {
  const jpeg = await readFile(fileURLToPath(new URL('../../photos/coffee.jpg', import.meta.url)));
  return { jpeg: new Uint8Array(jpeg), shows: 'a cup of coffee' };
}
