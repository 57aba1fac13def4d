import { float32, writeNpy } from '@whylight/core';
import { layOutHeatmap, layOutPlate, type RectangleMark, type Style } from '@whylight/core/drawing';
import { type Picture, picture, type Region } from '@whylight/core/image';
import { decodeImage, encodePng, renderResult } from '@whylight/host';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTab, type Tab } from './tab.ts';

/** The same style as the page's explainer takes it, and as the service takes it. */
const styles: Readonly<Record<string, readonly [page: Style, service: object]>> = {
  default: [{}, {}],
  'a named colour map': [{ colormap: 'jet' }, { color_map: 'jet' }],
  'the weakest hidden': [{ clip: [60, 100] }, { clip_percent_lowerbound: 60, clip_percent_upperbound: 100 }],
  'outlines of the magnitude': [
    { polarity: 'absolute', outlines: true, clip: [90, 100] },
    { polarity: 'absolute', type: 'outlines', clip_percent_lowerbound: 90, clip_percent_upperbound: 100 },
  ],
  'what speaks against, on grey': [
    { polarity: 'negative', backdrop: 'grayscale', opacity: 0.5 },
    { polarity: 'negative', overlay_type: 'grayscale', opacity: 0.5 },
  ],
};

let tab: Tab;
let photo: Uint8Array;
beforeAll(async () => {
  tab = await openTab();
  const pixels = await tab.page.evaluate(async () => {
    globalThis.explainer = await web.startExplainer();
    globalThis.model = await explainer.openModel({ url: '/files/models/shapes/shapes.onnx' });
    const image = document.querySelector('img')!;
    await image.decode();
    // So large that no picture of the service is enlarged.
    globalThis.canvas = Object.assign(document.createElement('canvas'), { width: 600, height: 420 });
    canvas.getContext('2d')!.drawImage(image, 0, 0, 600, 420);
    const { width, height, data } = await web.pixelsOf(canvas);
    return { width, height, data: base64Of(data) };
  });
  const rgb = Buffer.from(pixels.data, 'base64').filter((_, i) => i % 4 < 3);
  photo = await encodePng(picture(pixels.width, pixels.height, Uint8Array.from(rgb)));
});
afterAll(async () => {
  expect(tab.errors).toEqual([]);
  await tab[Symbol.asyncDispose]();
});

const explainedInTab = (method: string, style: Style) =>
  tab.page.evaluate(
    async ([id, look]) => {
      const answer = await explainer.explain({ model, image: canvas, method: id, style: look });
      const { overlay, heatmap, attribution, shape, region, legend, predictions, target, task } = answer;
      const plain = ({ width, height, data }: ImageData) => ({ width, height, data: base64Of(data) });
      return {
        ...{
          attribution: base64Of(attribution),
          shape: [...shape],
          region,
          legend,
          predictions,
          target,
          task,
        },
        overlay: plain(overlay!),
        heatmap: plain(heatmap!),
      };
    },
    [method, style] as const,
  );

const visualization = (change: object) => ({
  ...{ type: 'pixels', polarity: null, color_map: null, opacity: null, overlay_type: 'original' },
  ...{ clip_percent_lowerbound: null, clip_percent_upperbound: null, ...change },
});

interface Rgba {
  readonly width: number;
  readonly height: number;
  /** In base64. */
  readonly data: string;
}

const floatsOf = (text: string) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

/** The pixels in which a picture of the service and one of the page differ, leaving out those that `skips` names. */
function differences(
  service: Picture,
  page: Rgba,
  at: Pick<Region, 'x' | 'y'>,
  skips: (x: number, y: number) => boolean,
): number {
  const pixels = Buffer.from(page.data, 'base64');
  let different = 0;
  for (let y = 0; y < page.height; y++)
    for (let x = 0; x < page.width; x++) {
      if (skips(x, y)) continue;
      const from = ((y + at.y) * service.width + x + at.x) * 3;
      const to = (y * page.width + x) * 4;
      const isSame = [0, 1, 2].every((c) => service.data[from + c] === pixels[to + c]);
      if (!isSame || pixels[to + 3] !== 255) different++;
    }
  return different;
}

const cases = ['grad-cam', 'input-x-gradient'].flatMap((method) =>
  Object.keys(styles).map((name) => [method, name] as const),
);

test.each(cases)(
  '%s in the style "%s": the page draws the pixels that the service draws',
  async (method, name) => {
    const [page, service] = styles[name]!;
    const inTab = await explainedInTab(method, page);
    const { region, target, predictions, task } = inTab;
    const rendered = await renderResult(
      {
        photo,
        attribution: writeNpy(float32(inTab.shape, floatsOf(inTab.attribution))),
        result: { method, convention: 'paper', task, target, predictions, input_region: region } as never,
      },
      { language: 'en', visualization: visualization(service) } as never,
    );
    const overlay = await decodeImage(rendered.overlay);
    expect([overlay.width, overlay.height]).toEqual([inTab.overlay.width, inTab.overlay.height]);
    // The service writes a caption on a plate; a line of it is at most as wide as the picture.
    const plate = layOutPlate(['a line', 'another'], overlay, () => overlay.width / 2);
    const onPlate = (x: number, y: number) => y < plate.margin + plate.height && x < overlay.width * 0.75;
    expect(differences(overlay, inTab.overlay, { x: 0, y: 0 }, onPlate)).toBe(0);

    // The service's heat map has a title, a frame inside the map's edge, and a legend around the same pixels.
    const heatmap = await decodeImage(rendered.heatmap);
    const whole = { width: inTab.heatmap.width, height: inTab.heatmap.height };
    const layout = { alone: blankOf, bar: blankOf, legend: inTab.legend!, region: whole, title: ['a', 'b'] };
    const frame = layOutHeatmap(layout, () => 10).marks.find(
      (mark) => mark.type === 'rectangle',
    ) as RectangleMark;
    const onFrame = (x: number, y: number) =>
      x === 0 || y === 0 || x === whole.width - 1 || y === whole.height - 1;
    const corner = { x: frame.x - 0.5, y: frame.y - 0.5 };
    expect(differences(heatmap, inTab.heatmap, corner, onFrame)).toBe(0);
  },
);

const blankOf = (width: number, height: number): Picture =>
  picture(width, height, new Uint8Array(width * height * 3));

test('a canvas gets the layout of the service, with text in the page’s fonts', async () => {
  const drawn = await tab.page.evaluate(() => {
    const canvas = document.querySelector('canvas')!;
    const blank = (width: number, height: number) => drawing.blank(width, height, [255, 255, 255]);
    const legend = { ticks: [{ at: 1, text: '0.5 for' }], notes: ['Unit: none'] };
    const region = { width: 400, height: 300 };
    const layout = { alone: blank, bar: blank, legend, region, title: ['Grad-CAM', '斑马 0.998'] };
    const laidOut = drawing.layOutHeatmap(layout, web.textMeasure());
    web.drawOn(canvas, laidOut);
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const darkIn = (from: number, to: number) =>
      data.slice(from * canvas.width * 4, to * canvas.width * 4).filter((level) => level < 120).length;
    return {
      size: [canvas.width, canvas.height, laidOut.picture.width, laidOut.picture.height],
      dark: [darkIn(0, 60), darkIn(canvas.height - 40, canvas.height)],
    };
  });
  expect(drawn.size.slice(0, 2)).toEqual(drawn.size.slice(2));
  expect(Math.min(...drawn.dark)).toBeGreaterThan(50);
});
