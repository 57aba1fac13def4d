import type { Picture } from '@whylight/core/image';

/** A picture, and the characters of its texts that no font contains. */
export interface RenderedPicture {
  readonly picture: Picture;
  readonly missing: readonly string[];
}
