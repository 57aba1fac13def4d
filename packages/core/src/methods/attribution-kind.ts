import { methods } from './list.ts';

/** What the numbers of a method's attribution are. */
export interface AttributionKind {
  /** Whether the method gives a value for each pixel and channel, and not a map. */
  readonly isPixels: boolean;
  /** Whether the values add up to the score, less that of a baseline. */
  readonly addsUp: boolean;
}

export function attributionKindOf(method: string): AttributionKind {
  const found = methods.find(({ id }) => id === method);
  return {
    isPixels: found?.kind === 'pixels',
    addsUp: found?.kind === 'pixels' && (found.axioms ?? []).includes('completeness'),
  };
}
