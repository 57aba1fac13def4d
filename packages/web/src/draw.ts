import { type Drawing, type Mark, type MeasureText, opaqueRgba } from '@whylight/core/drawing';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** The page's own fonts; Chinese class names need one that has their characters. */
const family = '"Noto Sans", "Noto Sans SC", system-ui, sans-serif';

/** Measures text as `drawOn` draws it, for the layouts of `@whylight/core/drawing`. */
export function textMeasure(): MeasureText {
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  return (text, size) => {
    context.font = `${size}px ${family}`;
    return context.measureText(text).width;
  };
}

/** Draws a picture with its captions, titles and legend onto a canvas, which gets the picture's size. */
export function drawOn(canvas: HTMLCanvasElement | OffscreenCanvas, { picture, marks }: Drawing): void {
  const { width, height, data } = opaqueRgba(picture);
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d') as Context | null;
  if (!context) throw new Error('the canvas has another context already: draw on a canvas of its own');
  context.putImageData(new ImageData(data, width, height), 0, 0);
  for (const mark of marks) drawMark(context, mark);
}

function drawMark(context: Context, mark: Mark): void {
  if (mark.type === 'text') {
    context.font = `${mark.size}px ${family}`;
    context.fillStyle = mark.colour;
    context.fillText(mark.text, mark.x, mark.y);
    return;
  }
  const { x, y, width, height, radius = 0, fill, stroke } = mark;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  if (fill) {
    context.globalAlpha = fill.opacity;
    context.fillStyle = fill.colour;
    context.fill();
  }
  if (stroke) {
    context.globalAlpha = stroke.opacity;
    context.strokeStyle = stroke.colour;
    context.stroke();
  }
  context.globalAlpha = 1;
}
