import { type Preprocessing, type Sides, sidesOf } from '../image/preprocessing.ts';
import type { ClassifierOptions } from '../model/classifier.ts';
import type { DescribedModel } from './described.ts';
import { fixedInputsOf } from './fixed-inputs.ts';
import { under } from './sources/put-together.ts';
import type { Said } from './sources/said.ts';

/** What is said of a model before its network is looked at. */
export const saidOf = ({ sources }: Pick<DescribedModel, 'sources'>): Said => sources.reduce(under, {});

/** Height and width that are said; null: they depend on the photo; undefined: the file says, or nobody. */
export function statedSides(model: Pick<DescribedModel, 'sources'>): Sides | null | undefined {
  const { size, fit, resize, crop } = saidOf(model);
  const geometry = {
    ...{ size: size?.value ?? null, fit: fit?.value ?? ('crop' as const) },
    ...{ resize: resize?.value ?? null, crop: crop?.value ?? null },
  };
  if (geometry.crop === 'none' && geometry.fit === 'crop' && !Array.isArray(geometry.resize)) return null;
  return sidesOf(geometry) ?? undefined;
}

/** How a model is read for images of those sides: as its manifest says, and what it leaves open as is said of it. */
export function readingOf(
  model: Pick<DescribedModel, 'manifest' | 'sources' | 'anySize' | 'labels' | 'score' | 'limits'>,
  sides: Sides | undefined = statedSides(model) ?? undefined,
): ClassifierOptions {
  const { fixed_inputs, scores, task } = model.manifest;
  const { layout } = saidOf(model);
  return {
    size: sides,
    layout: layout?.value,
    anySize: model.anySize,
    inputs: fixed_inputs && fixedInputsOf(fixed_inputs),
    output: scores,
    labels: model.labels?.length,
    task,
    score: model.score,
    limits: model.limits,
  };
}

/** What users, manifests and files beside a model say of its preprocessing, as a manifest has it. */
export const statedParts = (model: Pick<DescribedModel, 'sources'>): Partial<Preprocessing> =>
  Object.fromEntries(
    Object.entries(saidOf({ sources: model.sources.filter(({ from }) => from !== 'metadata') })).map(
      ([part, { value }]) => [part, value],
    ),
  );
