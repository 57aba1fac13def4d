import { resize } from '@whylight/core/image';
import { encodePng } from '@whylight/host';
import { draw, kinds } from '../../../../models/shapes/draw.ts';

/** A drawing that the embedded network never saw. */
const seed = 10;
const side = 512;

export interface DemoPhoto {
  readonly png: Uint8Array<ArrayBuffer>;
  /** What the drawing shows. */
  readonly label: string;
  readonly side: number;
}

/** The photo that the project brings along: it draws one. */
export async function demoPhoto(): Promise<DemoPhoto> {
  const { picture, label } = draw(seed);
  const png = await encodePng(resize(picture, side, side, 'bicubic'));
  return { png: new Uint8Array(png), label: kinds[label]?.en ?? '', side };
}
