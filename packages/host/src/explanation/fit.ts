import type { RegisteredModel } from '../models/registered-model.ts';

/** How a photo gets to the network's size, where it is not the manifest's way. */
export interface Fit {
  /** The short side after resizing; null: no resize. */
  readonly resize_short_side?: number | null | undefined;
  /** The side of the centre crop; null: no crop, the network takes the photo's proportions. */
  readonly center_crop?: number | null | undefined;
}

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
