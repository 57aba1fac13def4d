import type { Preprocessing } from '../../image/preprocessing.ts';
import type { InputFacts } from './input-facts.ts';
import type { Said } from './said.ts';

/** ImageNet's mean and deviation, with which most classifiers of photos are trained. */
const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];

/**
 * Returns the preprocessing for parts that nothing states: ImageNet's at the network's size, with the same margin
 * cropped away. A network of oblong pictures gets the whole photo, stretched: a crop would remove most of it.
 */
export function assumptionFor({ layout, channels, sides }: InputFacts, said: Said): Preprocessing {
  const [height, width] = said.size?.value ?? sides;
  const square = height === width;
  const fit = said.fit?.value ?? (square ? 'crop' : 'stretch');
  const crop = said.crop?.value;
  const isShare = typeof crop === 'number' && crop <= 1;
  const colours = channels === 3;
  return {
    layout,
    channels: colours ? 'rgb' : channels,
    size: [height, width],
    fit,
    resize: square && fit === 'crop' && !isShare ? Math.round((height * 256) / 224) : null,
    crop: null,
    pad_color: [114, 114, 114],
    resample: 'bilinear',
    scale: 1 / 255,
    mean: colours ? mean : [0],
    std: colours ? std : [1],
  };
}
