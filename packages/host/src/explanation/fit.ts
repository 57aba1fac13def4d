import type { Preprocessing } from '@whylight/core/image';
import { type RegisteredModel, withAsked } from '../models/registered-model.ts';

/** A way to bring a photo to the size of the network, in place of the model's own way. */
export type Fit = {
  readonly [member in 'size' | 'fit' | 'resize' | 'crop']?: Preprocessing[member] | undefined;
};

/** Returns the model with this fit. Its network may then get images of another size than its file states. */
export const applyFit = (model: RegisteredModel, fit: Fit = {}): RegisteredModel =>
  withAsked(model, { parts: fit as Partial<Preprocessing> });
