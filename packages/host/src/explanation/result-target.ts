import type { ExplanationResult, Prediction, RegionTarget } from '@whylight/contract';
import type { ScoreSpec } from '@whylight/core';
import type { RegionSpec } from '@whylight/core/image';

/** Returns the target of a result: the class, and the score that the explanation explains in place of the score of a class. */
export function resultTarget(
  prediction: Prediction,
  score: ScoreSpec | undefined,
  region: RegionSpec = 'predicted',
): ExplanationResult['target'] {
  if (score?.type !== 'region') return { ...score, ...prediction };
  const place = placeOf(region);
  return { type: 'region', class: prediction.class_index, region: place, over: score.over, ...prediction };
}

function placeOf(region: RegionSpec): RegionTarget['region'] {
  if (region === 'predicted') return region;
  if ('box' in region) return { box: [...region.box] };
  if ('point' in region) return { point: [...region.point], radius: region.radius };
  return { mask: region.mask.name };
}
