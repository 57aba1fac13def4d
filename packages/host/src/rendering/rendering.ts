import { ownStyle, type Prediction, type ResultTask, type Warning } from '@whylight/contract';
import type { Tensor } from '@whylight/core';
import { paint, wordsOf } from '@whylight/core/drawing';
import { onPhoto, type Picture, type Region } from '@whylight/core/image';
import { attributionKindOf, methods } from '@whylight/core/methods';
import { predictionText } from '@whylight/core/preparation';
import { encodePng } from '../codec/encode.ts';
import { renderHeatmapLayout } from './render-heatmap.ts';
import { captioned } from './render-overlay.ts';
import { paintStyleOf, type Style } from './style.ts';

/** The content of a rendering. */
export interface Scene {
  readonly photo: Picture;
  readonly region: Region;
  /** The region that the network saw, if the map is stretched over another one. */
  readonly seen?: Region | undefined;
  /** One explanation: a map [1, h, w] or [1, 1, h, w], or a value for each pixel and channel. */
  readonly attribution: Tensor<'float32'>;
  readonly layout: 'NCHW' | 'NHWC';
  readonly method: string;
  /** The library whose numbers these are; default: paper. */
  readonly convention?: string | undefined;
  readonly task: ResultTask;
  readonly target: Prediction;
  /** The most likely class. Without probabilities, the class with the highest score. */
  readonly predicted: Prediction;
  /** Omitted: the style of the method, in English. */
  readonly style?: Style | undefined;
}

/** The pictures of an explanation, as PNG files. */
export interface Rendering {
  readonly overlay: Uint8Array;
  readonly heatmap: Uint8Array;
  /** Warnings about the texts: a label that has no Chinese name, characters that no font contains. */
  readonly warnings: readonly Warning[];
}

/** Renders the explanation twice: over the photo, and alone with its colour bar. */
export async function renderScene(scene: Scene): Promise<Rendering> {
  const { photo, region, target, style = ownStyle() } = scene;
  const { language } = style;
  const { explained, alone, bar, legend } = paint({
    ...scene,
    ...attributionKindOf(scene.method),
    style: paintStyleOf(style),
  });
  const title = methods.find(({ id }) => id === scene.method)?.title ?? scene.method;
  const overlay = await captioned(explained, captionOf({ ...scene, language }));
  const visible = onPhoto(region, photo);
  const heatmap = await renderHeatmapLayout({
    ...{ alone, bar, legend, region },
    shown: { ...visible, x: visible.x - region.x, y: visible.y - region.y },
    title: [title, predictionText(target, language)],
  });
  const missing = new Set([...overlay.missing, ...heatmap.missing]);
  return {
    overlay: await encodePng(overlay.picture),
    heatmap: await encodePng(heatmap.picture, { flat: true }),
    warnings: [
      ...(language === 'zh' && target.label_zh === null
        ? [{ code: 'label_in_english', message: 'the class has no Chinese name' }]
        : []),
      ...(missing.size > 0
        ? [{ code: 'font_incomplete', message: `no glyph for ${[...missing].join(' ')}` }]
        : []),
    ],
  };
}

/**
 * The lines of a caption: the most likely class, and the explained class if it is another one. A network with one output does
 * not choose between classes, so its caption has only the explained one.
 */
export function captionOf(
  {
    task,
    predicted,
    target,
    language,
  }: Pick<Scene, 'task' | 'predicted' | 'target'> & Pick<Style, 'language'>,
  digits = 3,
): string[] {
  const words = wordsOf[language];
  const targetLine = `${words.target}${predictionText(target, language, digits)}`;
  if (task === 'binary' || task === 'regression') return [targetLine];
  const predictedLine = `${words.predicted}${predictionText(predicted, language, digits)}`;
  return target.label === predicted.label && target.class_index === predicted.class_index
    ? [predictedLine]
    : [predictedLine, targetLine];
}
