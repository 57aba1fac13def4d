/** A photo as the page has it: upright, and no larger than it has to be. */
export interface Photo {
  /** The page's number of it; another photo has another number. */
  readonly number: number;
  readonly name: string;
  /** The file itself. */
  readonly file: File;
  readonly bitmap: ImageBitmap;
  readonly width: number;
  readonly height: number;
  /** The size of the file's own picture, if the page has made it smaller. */
  readonly shrunkFrom: readonly [width: number, height: number] | null;
}

/** Longest side. Networks look at a few hundred pixels; more would only cost time. */
const longest = 1280;

/** The page's own refusals, which the view puts into words. */
export type PhotoFault = 'not-a-photo' | 'heic' | 'undecodable' | 'unreachable';

export class PhotoError extends Error {
  override readonly name = 'PhotoError';
  readonly fault: PhotoFault;
  readonly file: string;

  constructor(fault: PhotoFault, file: string) {
    super(`${file}: ${fault}`);
    this.fault = fault;
    this.file = file;
  }
}

/** Decodes a file, turns the photo upright, and shrinks a large one. @throws PhotoError */
export async function readPhoto(file: File, number: number): Promise<Photo> {
  const { name, type } = file;
  if (type !== '' && !type.startsWith('image/')) throw new PhotoError('not-a-photo', name);
  const whole = await createImageBitmap(file).catch(() => {
    throw new PhotoError(/hei[cf]/i.test(type) || /\.hei[cf]$/i.test(name) ? 'heic' : 'undecodable', name);
  });
  const scale = longest / Math.max(whole.width, whole.height);
  if (scale >= 1) {
    const { width, height } = whole;
    return { number, name, file, bitmap: whole, width, height, shrunkFrom: null };
  }
  const width = Math.max(Math.round(whole.width * scale), 1);
  const height = Math.max(Math.round(whole.height * scale), 1);
  const bitmap = await createImageBitmap(whole, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: 'high',
  });
  const shrunkFrom = [whole.width, whole.height] as const;
  whole.close();
  return { number, name, file, bitmap, width, height, shrunkFrom };
}

/** Fetches a photo of the gallery. @throws PhotoError */
export async function fetchPhoto(url: string): Promise<File> {
  const name = url.split('/').at(-1) ?? url;
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) throw new PhotoError('unreachable', name);
  const blob = await response.blob();
  return new File([blob], name, { type: blob.type });
}
