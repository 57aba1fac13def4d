import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Preprocessing, preprocess, type Region } from '@whylight/core/image';
import { z } from 'zod';
import { UsageError } from '../failure.ts';
import { photoAt, type Subject, sizeOf } from './subjects.ts';

/** Objects on photos, as in annotations. A photo with several objects is explained for each. */
const objectsSchema = z
  .array(
    z.object({
      file: z.string(),
      /** Possible classes of the object; the class that scores highest is explained. */
      classes: z.array(z.int().min(0)).min(1),
      /** x, y, x, y … as shares of the photo's width and height. */
      polygons: z.array(z.array(z.number()).min(6)).min(1),
    }),
  )
  .min(1);

/** Reads the objects that a JSON file names, on the photos of a folder. @throws UsageError */
export async function objectsIn(
  directory: string,
  file: string,
  preprocessing: Preprocessing,
): Promise<Subject[]> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`cannot read ${file}`);
  });
  const subjects: Subject[] = [];
  for (const { file: photo, classes, polygons } of parsed(text, file)) {
    const { pixels, picture } = await photoAt(join(directory, photo), preprocessing.channels);
    const { input, region } = preprocess(pixels, preprocessing);
    const [rows, columns] = sizeOf(input, preprocessing.layout);
    const mask = maskOf(polygons, region, picture, rows, columns);
    subjects.push({ name: photo, input, target: -1, among: classes, mask });
  }
  return subjects;
}

function parsed(text: string, file: string): z.infer<typeof objectsSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UsageError(`${file}: expected JSON`);
  }
  const { success, data, error } = objectsSchema.safeParse(json);
  if (success) return data;
  const issue = error.issues[0]!;
  throw new UsageError(`${file}: ${issue.path.join('.') || 'the list'}: ${issue.message}`);
}

/** Marks the pixels of the input whose centres lie inside a polygon. */
function maskOf(
  polygons: readonly (readonly number[])[],
  region: Region,
  photo: { readonly width: number; readonly height: number },
  rows: number,
  columns: number,
): Uint8Array {
  return Uint8Array.from({ length: rows * columns }, (_, i) => {
    const x = (region.x + (((i % columns) + 0.5) * region.width) / columns) / photo.width;
    const y = (region.y + ((Math.trunc(i / columns) + 0.5) * region.height) / rows) / photo.height;
    return Number(polygons.some((polygon) => isInside(polygon, x, y)));
  });
}

/** Decides by the number of edges that a ray to the right crosses. */
function isInside(polygon: readonly number[], x: number, y: number): boolean {
  let inside = false;
  const corners = Math.trunc(polygon.length / 2);
  for (let i = 0, j = corners - 1; i < corners; j = i++) {
    const [xi, yi, xj, yj] = [polygon[2 * i]!, polygon[2 * i + 1]!, polygon[2 * j]!, polygon[2 * j + 1]!];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
