import { cutOut, onPhoto, type Picture, picture, type Region } from '../image/picture.ts';
import { blank, place } from './canvas.ts';
import { colorBar } from './heatmap.ts';
import { narrowest } from './heatmap-layout.ts';
import { drawPanel, type Panel, type PanelSubject } from './library-panel.ts';
import { type Drawing, frame, ink, type Mark, type MeasureText } from './marks.ts';
import { wholePixels } from './overlay.ts';
import { scaleOf } from './panel.ts';
import { fitText } from './text-lines.ts';
import { tickLabel } from './tick-label.ts';
import { type Language, wordsOf } from './words.ts';

export interface PanelsLayout extends PanelSubject {
  readonly photo: Picture;
  /** The part of the photo that the network got. */
  readonly region: Region;
  readonly panels: readonly Panel[];
  /** Whether to show a colour bar with its values below each heat map. */
  readonly bars?: boolean | undefined;
  readonly language: Language;
}

/**
 * Lays out panels side by side, each with its title and its colour bar: Captum's `visualize_image_attr_multiple`. The
 * panels have the photo's own resolution; those of a small photo are enlarged by a whole number, so that the titles fit.
 *
 * @throws InputError invalid_parameter if a masked panel shall show both signs.
 */
export function layOutPanels(input: PanelsLayout, measure: MeasureText): Drawing {
  const { panels, colormap, bars = true, language } = input;
  const region = wholePixels(input.region);
  const crop = cutOut(input.photo, region);
  // Padding lies outside the photo, so there is nothing to show.
  const visible = onPhoto(region, input.photo);
  const part = { ...visible, x: visible.x - region.x, y: visible.y - region.y };
  const times = Math.max(Math.ceil(narrowest / part.width), 1);
  const [width, height] = [part.width * times, part.height * times];
  const size = Math.round(Math.min(Math.max(height * 0.05, 13), 40));
  const gap = size;
  const top = Math.round(size * 2.4);
  const bar = Math.max(Math.round(height * 0.05), 8);
  const barred = bars && panels.some(({ method }) => method.endsWith('heat_map'));
  const bottom = barred ? Math.round(size * 0.6 + bar + size * 1.6) : 0;
  const canvas = blank(gap + panels.length * (width + gap), top + height + bottom + gap, [255, 255, 255]);
  const marks: Mark[] = [];
  panels.forEach(({ method, sign, title = titleOf({ method, sign }, language) }, i) => {
    const left = gap + i * (width + gap);
    place(canvas, enlarged(cutOut(drawPanel(input, { method, sign }, crop), part), times), left, top);
    marks.push(frame(left - 1, top - 1, width + 2, height + 2));
    const line = fitText(title, size, width + gap * 0.8, measure);
    marks.push(text(line.text, size, left + (width - line.width) / 2, top - size * 0.8));
    if (!bars || !method.endsWith('heat_map')) return;
    const scale = scaleOf(sign, colormap);
    const barTop = top + height + Math.round(size * 0.6);
    place(canvas, lying(colorBar(scale.colormap, bar, width)), left, barTop);
    marks.push(frame(left, barTop, width, bar));
    for (const at of [0, 0.5, 1]) {
      const label = tickLabel(scale.minimum + at * (scale.maximum - scale.minimum));
      const wide = measure(label, size * 0.8);
      const x = left + Math.min(Math.max(at * width - wide / 2, 0), width - wide);
      marks.push(text(label, size * 0.8, x, barTop + bar + size));
    }
  });
  return { picture: canvas, marks };
}

const text = (line: string, size: number, x: number, y: number): Mark => ({
  ...{ type: 'text', text: line, x, y, size, colour: ink },
});

/** Repeats each pixel `times` times in both directions. */
function enlarged(small: Picture, times: number): Picture {
  if (times === 1) return small;
  const [width, height] = [small.width * times, small.height * times];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 3) {
      const from = (Math.trunc(y / times) * small.width + Math.trunc(x / times)) * 3;
      data.set(small.data.subarray(from, from + 3), at);
    }
  return picture(width, height, data);
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

function titleOf({ method, sign }: Panel, language: Language): string {
  const words = wordsOf[language];
  const isUnsigned = ['original_image', 'show_cam_on_image', 'deprocess_image'].includes(method);
  return isUnsigned ? words.panels[method] : words.panelTitle(words.panels[method], words.signs[sign]);
}
