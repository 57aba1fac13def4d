import { expect, test } from 'vitest';
import { differenceSeen, rampOnWhite, redWhiteGreen, visions } from '../testing/colour-vision.ts';
import { palettes, rampOf } from './ramp.ts';

const colourAt = rampOnWhite(rampOf('both', 1, { palette: palettes.orangePurple }));

test.each(visions)('for and against differ in colours that %s tells apart, strong and weak', (vision) => {
  const [quarter, half, full] = [0.25, 0.5, 1].map((s) => differenceSeen(colourAt(s), colourAt(-s), vision));
  // About 2 can just be seen. Red and green have 0.2, 4.5 and 24 to deuteranopia.
  expect(quarter).toBeGreaterThan(25);
  expect(half).toBeGreaterThan(50);
  expect(full).toBeGreaterThan(100);
});

test('a magnitude differs from what is for and from what is against the class', () => {
  const { for: one, against, magnitude } = palettes.orangePurple;
  for (const vision of visions)
    for (const other of [one, against]) expect(differenceSeen(magnitude, other, vision)).toBeGreaterThan(25);
});

test('the measure sees what is known of red and green', () => {
  const at = (strength: number, vision: 'normal' | 'deuteranopia') =>
    differenceSeen(redWhiteGreen(strength), redWhiteGreen(-strength), vision);
  expect(at(0.5, 'normal')).toBeCloseTo(81.7, 1);
  expect(at(0.5, 'deuteranopia')).toBeCloseTo(4.5, 1);
});
