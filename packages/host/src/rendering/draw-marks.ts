import type { Drawing, Mark, RectangleMark } from '@whylight/core/drawing';
import { blend, type Raster, rasterize, textShape } from './draw.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { setText } from './text.ts';

/** Draws the marks onto the picture, which it changes. */
export async function drawMarks({ picture, marks }: Drawing): Promise<RenderedPicture> {
  if (marks.length === 0) return { picture, missing: [] };
  const shapes = shapesOf(marks);
  const { x, y, width, height } = boxOf(marks, picture);
  const raster = await rasterizeShapes(shapes.svg, x, y, width, height);
  blend(picture, raster, x, y);
  return { picture, missing: shapes.missing };
}

/** Marks as SVG, and the characters of their texts that no font contains. */
export function shapesOf(marks: readonly Mark[]): { readonly svg: string; readonly missing: string[] } {
  const missing = new Set<string>();
  const svg = marks.map((mark) => {
    if (mark.type === 'rectangle') return rectangleShape(mark);
    const line = setText(mark.text, mark.size);
    for (const character of line.missing) missing.add(character);
    return textShape(line, mark.x, mark.y, mark.colour);
  });
  return { svg: svg.join(''), missing: [...missing] };
}

const rasterizeShapes = (svg: string, x: number, y: number, width: number, height: number): Promise<Raster> =>
  rasterize(x === 0 && y === 0 ? svg : `<g transform="translate(${-x} ${-y})">${svg}</g>`, width, height);

function rectangleShape({ x, y, width, height, radius, fill, stroke }: RectangleMark): string {
  const corners = radius === undefined ? '' : ` rx="${radius}"`;
  const inside = fill ? ` fill="${fill.colour}" fill-opacity="${fill.opacity}"` : ' fill="none"';
  const line = stroke ? ` stroke="${stroke.colour}" stroke-opacity="${stroke.opacity}"` : '';
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}"${corners}${inside}${line}/>`;
}

/** The part of the picture that has marks: that of a plate, if one lies behind the text; else all of it, which costs more. */
function boxOf(marks: readonly Mark[], picture: { readonly width: number; readonly height: number }) {
  const plate = marks.find((mark) => mark.type === 'rectangle' && mark.fill) as RectangleMark | undefined;
  return plate ?? { x: 0, y: 0, width: picture.width, height: picture.height };
}
