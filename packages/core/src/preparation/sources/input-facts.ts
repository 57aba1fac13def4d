import type { Preprocessing, Sides } from '../../image/preprocessing.ts';

/** What the network's file itself says of its input. */
export interface InputFacts {
  readonly layout: Preprocessing['layout'];
  readonly channels: number;
  /** What it is read at, and whether the file leaves no other size. */
  readonly sides: Sides;
  readonly stated: boolean;
  /** What the input has to be for the first operations of the graph, where these scale or shift it themselves. */
  readonly first: Partial<Preprocessing>;
  /** Whether it takes bytes, so that nothing can have been done to them. */
  readonly bytes: boolean;
}
