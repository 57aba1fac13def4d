import type { Tensor } from '@whylight/core';
import { floatMap, resizeMap } from '@whylight/core/image';
import { type DeletionInsertion, deletionInsertion, type Layout } from '@whylight/core/metrics';
import type { Judgement, JudgeQuestion } from '../calls.ts';

/** Points of a curve less one. Four curves of fifteen points run the network sixty times. */
const steps = 14;
const curves = 4;
/** How often judging a map runs the network. */
export const judgeRuns = curves * (steps + 1);

/** What the network says of one image for the explained class. */
type ScoreOne = (image: Tensor<'float32'>) => Promise<number>;

/**
 * Deletes and inserts the pixels of the network's input in the order of a map, and beside it in that of the same values in places by
 * chance: a map that shows what the network uses changes the score sooner.
 */
export async function judge(
  scoreOne: ScoreOne,
  input: Tensor<'float32'>,
  { values, width, height }: Pick<JudgeQuestion, 'values' | 'width' | 'height'>,
  layout: Layout,
  onProgress: (part: number) => void,
): Promise<Pick<Judgement, 'map' | 'chance'>> {
  const [rows, columns] = (layout === 'NCHW' ? input.shape.slice(2) : input.shape.slice(1, 3)) as [
    number,
    number,
  ];
  let done = 0;
  const score = async (images: Tensor<'float32'>) => {
    const size = input.data.length;
    const scores = new Float32Array(images.shape[0]!);
    for (let n = 0; n < scores.length; n++) {
      const data = images.data.slice(n * size, (n + 1) * size);
      scores[n] = await scoreOne({ ...input, data });
      onProgress(++done / judgeRuns);
    }
    return scores;
  };
  const curvesOf = async (map: Float32Array) => {
    const order = resizeMap(floatMap(width, height, map), columns, rows, 'bilinear').data;
    return withoutAreas(await deletionInsertion(score, input, order, { steps, layout }));
  };
  return { map: await curvesOf(values), chance: await curvesOf(shuffled(values)) };
}

const withoutAreas = ({ fractions, deletion, insertion }: DeletionInsertion) => ({
  fractions,
  deletion,
  insertion,
});

/**
 * The map's own values, in places by chance: single pixels by chance would disturb the network more than the same part of the
 * image in one piece, so a coarse map would be compared with something else. The same places at each call (mulberry32), so that
 * a map is judged twice with the same result.
 */
function shuffled(values: Float32Array): Float32Array {
  const result = values.slice();
  let state = 1;
  for (let i = result.length - 1; i > 0; i--) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    const other = Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (i + 1));
    [result[i], result[other]] = [result[other]!, result[i]!];
  }
  return result;
}
