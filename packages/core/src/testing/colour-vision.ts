import { colormaps, colourIndex, type Ramp, type Rgb, rampIndex } from '../drawing/index.ts';

/**
 * What colours look like to people whose eyes lack one kind of cone, in linear RGB.
 *
 * @see Machado, Oliveira & Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009,
 *   the matrices for severity 1.0
 */
const matrices = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
} as const;

export type Vision = keyof typeof matrices;
export const visions = Object.keys(matrices) as Vision[];

/** The colour of a strength from -1 to 1. */
export type ColourAt = (strength: number) => Rgb;

/** The colours of a ramp on white, as a heat map shows them. */
export const rampOnWhite =
  (ramp: Ramp): ColourAt =>
  (strength) => {
    const [red, green, blue, opacity] = ramp.subarray(rampIndex(strength)) as unknown as number[];
    const on = (level: number) => Math.round((255 * (255 - opacity!) + level * opacity!) / 255);
    return [on(red!), on(green!), on(blue!)];
  };

/** Captum's colours. */
export const redWhiteGreen: ColourAt = (strength) => {
  const at = colourIndex((strength + 1) / 2) * 3;
  const [red, green, blue] = colormaps.RdWhGn.subarray(at, at + 3);
  return [red!, green!, blue!];
};

/** The difference of two colours as this vision sees it: their distance in CIE Lab (1976, D65). */
export function differenceSeen(one: Rgb, other: Rgb, vision: Vision): number {
  const [a, b] = [labOf(seen(one, vision)), labOf(seen(other, vision))];
  return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);
}

const seen = (colour: Rgb, vision: Vision): number[] => {
  const linear = colour.map((level) => {
    const v = level / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return matrices[vision].map((row) =>
    Math.min(Math.max(row[0] * linear[0]! + row[1] * linear[1]! + row[2] * linear[2]!, 0), 1),
  );
};

/** Of linear sRGB, by way of CIE XYZ. */
function labOf([r, g, b]: readonly number[]): readonly number[] {
  const x = (0.4124564 * r! + 0.3575761 * g! + 0.1804375 * b!) / 0.95047;
  const y = 0.2126729 * r! + 0.7151522 * g! + 0.072175 * b!;
  const z = (0.0193339 * r! + 0.119192 * g! + 0.9503041 * b!) / 1.08883;
  const f = (t: number) => (t > 216 / 24_389 ? Math.cbrt(t) : ((24_389 / 27) * t + 16) / 116);
  return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))];
}
