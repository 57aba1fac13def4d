import type { Preprocessing } from '@whylight/core/image';
import type { RegisteredModel } from '../models/registered-model.ts';

/** How a photo gets to the network's size, where it is not the manifest's way. */
export type Fit = {
  readonly [member in 'size' | 'fit' | 'resize' | 'crop']?: Preprocessing[member] | undefined;
};

/** The model with that fit; its network may then get images of another size than its file states. */
export function fitted(model: RegisteredModel, fit: Fit = {}): RegisteredModel {
  const said = Object.fromEntries(Object.entries(fit).filter(([, value]) => value !== undefined));
  if (Object.keys(said).length === 0) return model;
  const preprocessing = { ...model.manifest.preprocessing, ...said };
  return {
    ...model,
    manifest: { ...model.manifest, preprocessing },
    preprocessingDigest: `${model.preprocessingDigest} ${JSON.stringify(said)}`,
    assumed: false,
    anySize: true,
  };
}
