import { type Classifier, float32, InputError, sizeOf, type Tensor } from '@whylight/core';
import { type Preprocessing, preprocess } from '@whylight/core/image';

/** The input on which a check runs the network, and whether photos can become its input. */
export interface PlainInput {
  readonly input: Tensor<'float32'>;
  /** True, or the reason why they cannot. */
  readonly photos: true | string;
}

/** Width and height of the photo on which a check runs a network. */
const photoSize = 256;

/**
 * Creates the input on which a check runs a model, the same each time: a photo of coloured waves, preprocessed like any
 * photo. If photos cannot become the input, the input is waves around 0.
 */
export function plainInput(preprocessing: Preprocessing, classifier: Classifier): PlainInput {
  const shape = classifier.inputShape;
  try {
    const { input } = preprocess(wavyPhoto(), preprocessing);
    const made = input.shape.slice(1);
    if (made.join() === shape.join()) return { input, photos: true };
    return { input: waves([1, ...shape]), photos: cannot(made, shape) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { input: waves([1, ...shape]), photos: `${error.message}: ${instead}` };
  }
}

const instead = 'give the network a tensor (whylight attribute --tensor)';

const cannot = (made: readonly number[], shape: readonly number[]): string =>
  `a photo becomes [${made.join(', ')}], but the network takes [${shape.join(', ')}]: ${instead}`;

/** Waves between 0 and 255, with another period for each channel. */
const wavyPhoto = () => ({
  width: photoSize,
  height: photoSize,
  channels: 3 as const,
  data: Uint8Array.from({ length: photoSize * photoSize * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % photoSize, Math.floor(i / 3 / photoSize)];
    const period = 9 + 6 * (i % 3);
    return 127.5 + 90 * Math.sin(x / period) * Math.cos(y / (period + 4)) + 37 * Math.sin((x * y) / 997);
  }),
});

/** Values around 0, like those of a normalised photo. */
function waves(shape: readonly number[]): Tensor<'float32'> {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = 2 * Math.sin(i * 12.9898) * Math.cos(i * 78.233);
  return float32(shape, data);
}
