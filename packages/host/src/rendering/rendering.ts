import type { Tensor, Warning } from '@whylight/core';
import {
  type FloatMap,
  floatMap,
  highlight,
  minMax,
  onPhoto,
  overlay,
  type Picture,
  pixelsToMap,
  type Region,
  range,
} from '@whylight/core/image';
import { methods } from '@whylight/core/methods';
import { predictionText } from '../classification/prediction-text.ts';
import type { Prediction, Task } from '../classification/predictions.ts';
import { encodePng } from '../codec/encode.ts';
import { renderHeatmap } from './render-heatmap.ts';
import { captioned } from './render-overlay.ts';
import { computeHighlighting, keepsScaling, type Style } from './style.ts';

/** What a rendering shows. */
export interface Scene {
  readonly photo: Picture;
  readonly region: Region;
  /** One explanation: a map [1, h, w] or [1, 1, h, w], or a value per pixel and channel. */
  readonly attribution: Tensor<'float32'>;
  readonly layout: 'NCHW' | 'NHWC';
  readonly method: string;
  readonly task: Task | 'segmentation';
  readonly target: Prediction;
  /** The likeliest class, or the one that scores highest. */
  readonly predicted: Prediction;
  /** Omitted: the method's own. */
  readonly style?: Style | undefined;
}

/** The pictures of an explanation, as PNG files. */
export interface Rendering {
  readonly overlay: Uint8Array;
  readonly heatmap: Uint8Array;
  /** Of the texts: a label that had to be in English, characters that no font has. */
  readonly warnings: readonly Warning[];
}

/** Renders the explanation over the photo, and by itself with its scale. */
export async function renderScene(scene: Scene): Promise<Rendering> {
  const { region, target, style = {} } = scene;
  const { language = 'en' } = style;
  const { explained, alone } = paint(scene);
  const title = methods.find(({ id }) => id === scene.method)?.title ?? scene.method;
  const overlay = await captioned(explained, captionOf({ ...scene, language }));
  const visible = onPhoto(region, scene.photo);
  const heatmap = await renderHeatmap({
    ...alone,
    region,
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

function paint(scene: Scene) {
  const { photo, region, style = {} } = scene;
  const { over, overlayOptions, alone, values, isMap } = mapsOf(scene);
  if (!keepsScaling(style)) {
    const { map, options, alone: scaled } = computeHighlighting(values, isMap, style);
    return { explained: highlight(photo, map, region, options), alone: scaled };
  }
  const colours = style.colormap ? { colormap: style.colormap } : {};
  const weight = style.opacity === undefined ? {} : { alpha: 1 - style.opacity };
  return {
    explained: overlay(photo, over, region, { ...overlayOptions, ...colours, ...weight }),
    alone: { ...alone, ...colours },
  };
}

const phrases = {
  en: { predicted: 'Pred: ', target: 'Target: ' },
  zh: { predicted: '预测：', target: '目标：' },
};

/**
 * The likeliest class and, if it is another one, the class that is explained. A network of one output chooses between no
 * classes: there only what is explained is named.
 */
export function captionOf(
  {
    task,
    predicted,
    target,
    language,
  }: Pick<Scene, 'task' | 'predicted' | 'target'> & { readonly language: 'en' | 'zh' },
  digits = 3,
): string[] {
  const words = phrases[language];
  const targetLine = `${words.target}${predictionText(target, language, digits)}`;
  if (task === 'binary' || task === 'regression') return [targetLine];
  const predictedLine = `${words.predicted}${predictionText(predicted, language, digits)}`;
  return target.label === predicted.label && target.class_index === predicted.class_index
    ? [predictedLine]
    : [predictedLine, targetLine];
}

/** torchcam squares a map before it colours it; of scattered pixels that leaves next to nothing to see. */
const sparse = { squared: false, alpha: 0.5 };

/**
 * Maps are laid over the photo min-maxed, attributions of pixels by their magnitude. Alone, maps keep their own
 * scale, and attributions of pixels show for (+) and against (−).
 */
export function mapsOf({
  attribution,
  layout: given,
  method,
}: Pick<Scene, 'attribution' | 'layout' | 'method'>) {
  const { shape, data } = attribution;
  // pytorch-grad-cam's guided backpropagation puts the channels last, whatever the model takes.
  const layout = shape.length === 4 && shape[3]! <= 4 && shape[1]! > 4 ? 'NHWC' : given;
  // Of a grey image a value per pixel has the shape of a map.
  const pixels = methods.some(({ id, kind }) => id === method && kind === 'pixels');
  const plain = shape.length === 3 || (shape[1] === 1 && !pixels);
  if (!plain) {
    const map = pixelsToMap(attribution, { layout });
    const signed = range(map.data)[0] < 0;
    return {
      over: pixelsToMap(attribution, { layout, sign: 'absolute' }),
      overlayOptions: sparse,
      values: pixelsToMap(attribution, { layout, outlierPercent: 0 }),
      isMap: false,
      alone: signed
        ? { map, minimum: -1, maximum: 1, colormap: 'RdWhGn' as const }
        : { map, minimum: 0, maximum: 1, colormap: 'viridis' as const },
    };
  }
  const [height, width] = shape.slice(-2) as [number, number];
  const map: FloatMap = floatMap(width, height, data);
  const [minimum, maximum] = range(data);
  const scale = minimum < maximum ? { minimum, maximum } : { minimum: 0, maximum: 1 };
  return {
    over: floatMap(width, height, minMax(data)),
    overlayOptions: {},
    values: map,
    isMap: true,
    alone: { map, ...scale, colormap: 'jet' as const },
  };
}
