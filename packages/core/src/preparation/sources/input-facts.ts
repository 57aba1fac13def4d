import type { Preprocessing, Sides } from '../../image/preprocessing.ts';

/** The statements of the network's file itself about its input. */
export interface InputFacts {
  readonly layout: Preprocessing['layout'];
  readonly channels: number;
  /** The size at which it is read, and whether the file allows no other size. */
  readonly sides: Sides;
  readonly stated: boolean;
  /** The preprocessing that the first operations of the graph require, if they scale or shift the input themselves. */
  readonly first: Partial<Preprocessing>;
  /** Whether the input takes bytes, so that no scaling or shift can come before it. */
  readonly bytes: boolean;
}
