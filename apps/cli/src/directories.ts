import { basename, extname, join } from 'node:path';

/** Gives the folders of results: OUTPUT itself for one photo and one method; else OUTPUT/photo/method. */
export function directories(images: readonly string[], ids: readonly string[], output: string) {
  if (images.length === 1 && ids.length === 1) return () => output;
  const names: string[] = [];
  for (const image of images) {
    const stem = basename(image, extname(image));
    let name = stem;
    for (let n = 2; names.includes(name); n++) name = `${stem}-${n}`;
    names.push(name);
  }
  return (image: number, method: string) => join(output, names[image]!, method);
}
