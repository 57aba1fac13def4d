import type { Language } from '@whylight/contract';
import { colorBar, type Sign, scaleOf, wholePixels } from '@whylight/core/drawing';
import { cutOut, onPhoto, type Picture, picture, type Region } from '@whylight/core/image';
import { blank, drawShapes, place, textShape } from './draw.ts';
import { drawPanel, type Explained, type Panel, type PanelKind } from './panel.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { fitText, setText } from './text.ts';
import { tickLabel } from './tick-label.ts';

export interface PanelsInput extends Explained {
  readonly photo: Picture;
  /** The part of the photo that the network got. The panels show it at the photo's own resolution. */
  readonly region: Region;
  readonly panels: readonly Panel[];
  /** Whether to show a colour bar with its values below each heat map. */
  readonly bars?: boolean | undefined;
  readonly language: Language;
}

const ink = '#1c2024';

/**
 * Renders panels side by side, each with its title and its colour bar: Captum's `visualize_image_attr_multiple`.
 *
 * @throws InputError invalid_parameter if a masked panel shall show both signs.
 */
export async function renderPanels(input: PanelsInput): Promise<RenderedPicture> {
  const { panels, colormap, bars = true, language } = input;
  const region = wholePixels(input.region);
  const crop = cutOut(input.photo, region);
  // Padding lies outside the photo, so there is nothing to show.
  const visible = onPhoto(region, input.photo);
  const part = { ...visible, x: visible.x - region.x, y: visible.y - region.y };
  const { width, height } = part;
  const size = Math.round(Math.min(Math.max(height * 0.05, 13), 40));
  const gap = size;
  const top = Math.round(size * 2.4);
  const bar = Math.max(Math.round(height * 0.05), 8);
  const barred = bars && panels.some(({ method }) => method.endsWith('heat_map'));
  const bottom = barred ? Math.round(size * 0.6 + bar + size * 1.6) : 0;
  const canvas = blank(gap + panels.length * (width + gap), top + height + bottom + gap, [255, 255, 255]);
  const shapes: string[] = [];
  const missing: string[] = [];
  panels.forEach(({ method, sign, title = titleOf(method, sign, language) }, i) => {
    const left = gap + i * (width + gap);
    place(canvas, cutOut(drawPanel(input, { method, sign }, crop), part), left, top);
    shapes.push(outline(left - 1, top - 1, width + 2, height + 2));
    const line = fitText(title, size, width + gap * 0.8);
    missing.push(...line.missing);
    shapes.push(textShape(line, left + (width - line.width) / 2, top - size * 0.8, ink));
    if (!bars || !method.endsWith('heat_map')) return;
    const scale = scaleOf(sign, colormap);
    const barTop = top + height + Math.round(size * 0.6);
    place(canvas, lying(colorBar(scale.colormap, bar, width)), left, barTop);
    shapes.push(outline(left, barTop, width, bar));
    for (const at of [0, 0.5, 1]) {
      const tick = setText(tickLabel(scale.minimum + at * (scale.maximum - scale.minimum)), size * 0.8);
      const x = left + Math.min(Math.max(at * width - tick.width / 2, 0), width - tick.width);
      shapes.push(textShape(tick, x, barTop + bar + size, ink));
    }
  });
  await drawShapes(canvas, shapes.join(''), { left: 0, top: 0, width: canvas.width, height: canvas.height });
  return { picture: canvas, missing: [...new Set(missing)] };
}

/** Turns an upright colour bar, so that its largest value is on the right. */
function lying({ width: thick, height: length, data }: Picture): Picture {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < thick; y++)
    for (let x = 0; x < length; x++) {
      const from = ((length - 1 - x) * thick + y) * 3;
      turned.set(data.subarray(from, from + 3), (y * length + x) * 3);
    }
  return picture(length, thick, turned);
}

const outline = (x: number, y: number, width: number, height: number): string =>
  `<rect x="${x + 0.5}" y="${y + 0.5}" width="${width - 1}" height="${height - 1}" fill="none" stroke="#000" stroke-opacity="0.25"/>`;

const words: Record<Language, Record<PanelKind | Sign, string>> = {
  en: {
    original_image: 'Original image',
    heat_map: 'Heat map',
    blended_heat_map: 'Blended heat map',
    masked_image: 'Masked image',
    alpha_scaling: 'Alpha scaling',
    show_cam_on_image: 'Map over the image',
    deprocess_image: 'Each channel around grey',
    all: 'for and against',
    positive: 'for',
    negative: 'against',
    absolute: 'magnitude',
  },
  zh: {
    original_image: '原图',
    heat_map: '热力图',
    blended_heat_map: '叠加热力图',
    masked_image: '掩膜图',
    alpha_scaling: '透明度图',
    show_cam_on_image: '叠加图',
    deprocess_image: '以灰色为中心的各通道',
    all: '正负贡献',
    positive: '正贡献',
    negative: '负贡献',
    absolute: '贡献绝对值',
  },
};

function titleOf(method: PanelKind, sign: Sign, language: Language): string {
  const of = words[language];
  const unsigned = ['original_image', 'show_cam_on_image', 'deprocess_image'].includes(method);
  if (unsigned) return of[method];
  return language === 'zh' ? `${of[method]}（${of[sign]}）` : `${of[method]} (${of[sign]})`;
}
