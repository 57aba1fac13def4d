/**
 * Prints how different a colour for the class is from the one against it, at a part of their strength, to three kinds of
 * colour vision: distances in CIE Lab, on the white of a heat map. Decision 54 has the table.
 *
 *     node test/bench/colour-vision.ts
 */
import { palettes, rampOf } from '@whylight/core/drawing';
import { differenceSeen, rampOnWhite, redWhiteGreen, visions } from '@whylight/core/testing';

const strengths = [0.25, 0.5, 1];
const drawings = {
  'red, white, green (RdWhGn)': redWhiteGreen,
  'orange and purple': rampOnWhite(rampOf('both', 1, { palette: palettes.orangePurple })),
};

console.log('| colours | vision | a quarter | a half | full |\n|---|---|---|---|---|');
for (const [name, colourAt] of Object.entries(drawings))
  for (const vision of visions) {
    const distances = strengths.map((strength) =>
      differenceSeen(colourAt(strength), colourAt(-strength), vision).toFixed(1),
    );
    console.log(`| ${name} | ${vision} | ${distances.join(' | ')} |`);
  }
