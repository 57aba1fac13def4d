import { between, type Canvas, type Colour, colour, cover, distance, lay, noise, surface } from './canvas.ts';
import { fragments, kinds } from './kinds.ts';
import { hash, Random } from './random.ts';

export { kinds } from './kinds.ts';

/** Side of a drawing, in pixels. */
export const size = 128;

/**
 * Seeds from here on made the network's training (1 000 000 and up) and validation (2 000 000 and up) drawings;
 * every smaller seed is a drawing that it never saw.
 */
export const firstTrainingSeed = 1_000_000;

export interface Drawing {
  picture: { width: number; height: number; channels: 3; data: Uint8Array };
  /** 1 where the object that decides the class covers at least half of the pixel: [height, width]. */
  mask: Uint8Array;
  /** Index into `kinds`. */
  label: number;
}

/**
 * Draws one object of one of ten kinds, wholly visible, somewhere on a cluttered ground; alike on every runtime.
 * Training begins with smaller, easier pictures with less clutter, down to 0.
 */
export function draw(seed: number, { side = size, clutter = 1 } = {}): Drawing {
  const random = new Random(seed);
  const canvas: Canvas = { size: side, data: new Float32Array(side * side * 3) };
  const ground = [colour(random), colour(random)] as const;
  lay(
    canvas,
    surface(random, side, ground[0], between(ground[0], ground[1], clutter * random.between(0.2, 1))),
    () => 1,
  );
  scatterBlots(canvas, random, clutter);
  scatterLines(canvas, random, clutter);
  scatterFragments(canvas, random, clutter);

  const label = random.integer(0, kinds.length - 1);
  const figure = kinds[label]?.figure(random.between(0, 1));
  if (!figure) throw new RangeError(`kind: got ${label}`);
  const radius = random.between(14, 26);
  const place = {
    x: random.between(radius + 2, side - radius - 2),
    y: random.between(radius + 2, side - radius - 2),
    radius,
    direction: random.direction(),
  };
  const coverage = cover(side, figure, place);
  paintOver(canvas, random, coverage, 130);
  return {
    picture: { width: side, height: side, channels: 3, data: develop(canvas, random) },
    mask: new Uint8Array(coverage.map((share) => (share >= 0.5 ? 1 : 0))),
    label,
  };
}

/** Fills a covered area with a surface whose colours contrast with those beneath it. */
function paintOver(canvas: Canvas, random: Random, coverage: Float32Array, contrast: number): void {
  const beneath = meanUnder(canvas, coverage);
  let best = colour(random);
  for (let tries = 0; tries < 24 && distance(best, beneath) < contrast; tries++) {
    const other = colour(random);
    if (distance(other, beneath) > distance(best, beneath)) best = other;
  }
  // The second colour goes on in the same direction, away from the ground, so that texture never hides the outline.
  const away = between(beneath, best, random.between(0.75, 1.5));
  const shade: Colour = [clamp(away[0]), clamp(away[1]), clamp(away[2])];
  const paint = surface(random, canvas.size, best, shade);
  lay(canvas, paint, (x, y) => coverage[y * canvas.size + x] ?? 0);
}

function meanUnder(canvas: Canvas, coverage: Float32Array): Colour {
  let [red, green, blue, weight] = [0, 0, 0, 1e-6];
  for (let pixel = 0; pixel < coverage.length; pixel++) {
    const share = coverage[pixel] ?? 0;
    if (share === 0) continue;
    weight += share;
    red += share * (canvas.data[pixel * 3] ?? 0);
    green += share * (canvas.data[pixel * 3 + 1] ?? 0);
    blue += share * (canvas.data[pixel * 3 + 2] ?? 0);
  }
  return [red / weight, green / weight, blue / weight];
}

/** Draws irregular soft patches where smooth noise exceeds a level. */
function scatterBlots(canvas: Canvas, random: Random, clutter: number): void {
  for (let count = Math.round(clutter * random.integer(0, 2)); count > 0; count--) {
    const tint = colour(random);
    const field = noise(random.key(), random.between(10, 30));
    const level = random.between(0.55, 0.75);
    const strength = random.between(0.2, 0.7);
    lay(
      canvas,
      () => tint,
      (x, y) => strength * Math.min(1, Math.max(0, (field(x, y) - level) * 12)),
    );
  }
}

/** Draws straight lines from edge to edge. */
function scatterLines(canvas: Canvas, random: Random, clutter: number): void {
  for (let count = Math.round(clutter * random.integer(0, 6)); count > 0; count--) {
    const tint = colour(random);
    const [nx, ny] = random.direction();
    const offset = nx * random.between(0, canvas.size) + ny * random.between(0, canvas.size);
    const half = random.between(0.4, 1.8);
    lay(
      canvas,
      () => tint,
      (x, y) => Math.min(1, Math.max(0, half + 0.5 - Math.abs(x * nx + y * ny - offset))),
    );
  }
}

/** Draws pieces of no class, as strong in colour as the object itself. */
function scatterFragments(canvas: Canvas, random: Random, clutter: number): void {
  for (let count = Math.round(clutter * random.integer(3, 8)); count > 0; count--) {
    const place = {
      x: random.between(0, canvas.size),
      y: random.between(0, canvas.size),
      radius: random.between(7, 20),
      direction: random.direction(),
    };
    paintOver(canvas, random, cover(canvas.size, random.pick(fragments), place), 90);
  }
}

/** Rounds to bytes, after a little grain. */
function develop(canvas: Canvas, random: Random): Uint8Array {
  const key = random.key();
  const grain = random.between(0, 24);
  const bytes = new Uint8Array(canvas.data.length);
  for (let at = 0; at < bytes.length; at++) {
    const speck = grain * (hash(key, at, 0) + hash(key, at, 1) - 1);
    bytes[at] = Math.round(clamp((canvas.data[at] ?? 0) + speck));
  }
  return bytes;
}

const clamp = (value: number): number => Math.min(255, Math.max(0, value));
