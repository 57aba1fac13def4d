import type { Picture } from '@whylight/core/image';

/** A finished picture, and the characters of its texts that no font has. */
export interface RenderedPicture {
  readonly picture: Picture;
  readonly missing: readonly string[];
}
