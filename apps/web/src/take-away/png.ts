import { layOutHeatmap } from '@whylight/core/drawing';
import { resize } from '@whylight/core/image';
import { drawOn, textMeasure } from '@whylight/web';
import { drawResult } from '../drawing/draw-result.ts';
import { pictureOf } from '../photo/pixels.ts';
import type { Language, Look, Shown } from '../state/session.ts';
import { nameOf, valueText } from '../words/words.ts';

/** A result as a picture: the photo with the map over it, its title, its colours and what they mean. */
export async function pngOf(
  { result, photo }: Extract<Shown, { readonly kind: 'computed' }>,
  look: Look,
  language: Language,
  title: string,
): Promise<Blob> {
  const whole = pictureOf(photo, Math.max(photo.width, photo.height));
  const { explained, bar, legend } = drawResult(result, photo, whole, look, language);
  const { target } = result;
  const layout = layOutHeatmap(
    {
      ...{ bar, legend, region: explained },
      // The layout of a map alone, with the photo and the map over it in its place.
      alone: (width, height) => resize(explained, width, height, 'bicubic'),
      title: [title, `${nameOf(target, language)} ${valueText(target)}`],
    },
    textMeasure(),
  );
  const canvas = new OffscreenCanvas(1, 1);
  drawOn(canvas, layout);
  return canvas.convertToBlob({ type: 'image/png' });
}
