import type { Preprocessing } from '@whylight/core/image';
import { type RegisteredModel, withAsked } from '../models/registered-model.ts';

/** How a photo gets to the network's size, where it is not the model's way. */
export type Fit = {
  readonly [member in 'size' | 'fit' | 'resize' | 'crop']?: Preprocessing[member] | undefined;
};

/** The model with that fit; its network may then get images of another size than its file states. */
export const applyFit = (model: RegisteredModel, fit: Fit = {}): RegisteredModel =>
  withAsked(model, { parts: fit as Partial<Preprocessing> });
