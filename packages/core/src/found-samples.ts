import type { Samples } from './methods/method.ts';
import { concatenated } from './programs/batch.ts';
import type { AttributeOptions, Outcome, Run } from './programs/outcome.ts';
import type { Target } from './targets.ts';
import { row, type Tensor } from './tensor.ts';

/** Attributes images one by one, each with the samples that are found in it; recorded ones take their place. */
export async function attributeEach(
  run: Run,
  samplesOf: (image: Tensor<'float32'>) => Samples,
  batch: Tensor<'float32'>,
  targets: readonly Target[],
  options: AttributeOptions,
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const [n, target] of targets.entries()) {
    options.signal?.throwIfAborted();
    const image = row(batch, n);
    const outcome = await run.attribute(image, [target], {
      ...options,
      regions: options.regions && row(options.regions, n),
      aux: { ...samplesOf(image), ...options.aux },
      onProgress: (done, total) => options.onProgress?.(n * total + done, targets.length * total),
    });
    outcomes.push(outcome);
  }
  return joined(outcomes);
}

/** The outcomes of several images as that of their batch. */
function joined(outcomes: readonly Outcome[]): Outcome {
  const [first] = outcomes as [Outcome];
  const all = (pick: (outcome: Outcome) => Tensor<'float32'>) =>
    concatenated(outcomes.map(pick)) as Tensor<'float32'>;
  const list = (pick: (outcome: Outcome) => readonly number[] | null) =>
    pick(first) && outcomes.flatMap((outcome) => pick(outcome)!);
  return {
    attribution: all(({ attribution }) => attribution),
    logits: all(({ logits }) => logits),
    scores: all(({ scores }) => scores),
    probabilities: first.probabilities && all(({ probabilities }) => probabilities!),
    targets: outcomes.flatMap(({ targets }) => targets),
    convergenceDelta: list(({ convergenceDelta }) => convergenceDelta),
    pixels: first.pixels && all(({ pixels }) => pixels!),
    scale: list(({ scale }) => scale),
  };
}
