import { InputError } from '../errors.ts';
import { type FloatMap, floatMap, type Picture, picture } from '../image/picture.ts';
import { resize, resizeMap } from '../image/resize.ts';
import type { Tensor } from '../tensor.ts';
import { pixelsToMap, type Sign } from './attribution.ts';
import type { Colormap } from './colormaps.ts';
import { panel, panelMethods, scaleOf } from './panel.ts';
import { deprocessImage, scaleCamImage, showCamOnImage } from './pytorch-grad-cam.ts';

/** Captum's panels, and the two pictures of pytorch-grad-cam. */
export const panelKinds = [...panelMethods, 'show_cam_on_image', 'deprocess_image'] as const;
export type PanelKind = (typeof panelKinds)[number];

export interface Panel {
  readonly method: PanelKind;
  readonly sign: Sign;
  /** The text above the panel. Default: what the panel shows. */
  readonly title?: string | undefined;
}

/** The content of the panels and its display. */
export interface PanelSubject {
  /** A value per pixel and channel, [1, C, H, W], or a map, [1, h, w]. */
  readonly attribution: Tensor<'float32'>;
  readonly layout: 'NCHW' | 'NHWC';
  readonly outlierPercent?: number | undefined;
  readonly colormap?: Colormap | undefined;
  readonly alphaOverlay?: number | undefined;
}

/**
 * Renders one panel, of the size of `crop`.
 *
 * @throws InputError invalid_parameter if the panel cannot show attributions of this shape, or if a masked panel
 *   shall show both signs.
 */
export function drawPanel(explained: PanelSubject, { method, sign }: Panel, crop: Picture): Picture {
  if (method === 'show_cam_on_image') return camOnImage(explained, crop);
  if (method === 'deprocess_image') return deprocessed(explained, crop);
  const map = mapOf(explained, sign, crop);
  const { colormap, alphaOverlay } = explained;
  return panel(crop, map, { method, sign, colormap, alphaOverlay });
}

/** Shows a map as pytorch-grad-cam does: min-maxed, enlarged bilinearly to the crop, and blended half and half with it. */
function camOnImage({ attribution: { shape, data } }: PanelSubject, crop: Picture): Picture {
  if (shape.length !== 3 && shape[1] !== 1)
    throw new InputError(
      'invalid_parameter',
      'panel show_cam_on_image: expected a map, but the method gives a value for each channel; choose another panel',
    );
  const [height, width] = shape.slice(-2) as [number, number];
  const map = scaleCamImage(floatMap(width, height, data), crop.width, crop.height);
  return showCamOnImage(
    Float32Array.from(crop.data, (level) => level / 255),
    map,
  );
}

/** Shows a value for each pixel and channel as pytorch-grad-cam does: each in its own channel, around grey. */
function deprocessed({ attribution: { shape, data }, layout }: PanelSubject, crop: Picture): Picture {
  const last = shape.length === 4 && (layout === 'NHWC' || (shape[3] === 3 && shape[1] !== 3));
  if (shape.length !== 4 || shape[last ? 3 : 1] !== 3)
    throw new InputError(
      'invalid_parameter',
      'panel deprocess_image: expected a value for each of three channels; choose another panel',
    );
  const [height, width] = (last ? shape.slice(1, 3) : shape.slice(2)) as [number, number];
  const levels = deprocessImage(data);
  const size = height * width;
  const ordered = last ? levels : levels.map((_, i) => levels[(i % 3) * size + Math.trunc(i / 3)]!);
  return resize(picture(width, height, ordered), crop.width, crop.height, 'bicubic');
}

/** Shows a map of one sign as Captum does, enlarged bicubically to the crop. */
function mapOf(
  { attribution, layout, outlierPercent = 2 }: PanelSubject,
  sign: Sign,
  { width, height }: Picture,
): FloatMap {
  const plain = attribution.shape.length === 3;
  const pixels = plain ? { ...attribution, shape: [1, ...attribution.shape] } : attribution;
  const map = pixelsToMap(pixels, { sign, outlierPercent, layout: plain ? 'NCHW' : layout });
  const least = scaleOf(sign).minimum;
  const { data } = resizeMap(map, width, height, 'bicubic');
  return floatMap(
    width,
    height,
    data.map((v) => Math.min(Math.max(v, least), 1)),
  );
}
