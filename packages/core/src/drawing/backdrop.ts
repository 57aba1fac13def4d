export const backdrops = ['original', 'grayscale', 'mask_black', 'none'] as const;
/** What lies behind the colours. `mask_black` is the photo where the attribution counts, and black elsewhere. */
export type Backdrop = (typeof backdrops)[number];

/** Functions that compute the backdrop of the pixel whose first byte is at `i`, by channel. */
export const backdropOf: Record<
  Backdrop,
  (data: Uint8Array, i: number, strength: number) => (channel: number) => number
> = {
  original: (data, i) => (channel) => data[i + channel]!,
  // ITU-R BT.601 luma, as PIL's "L".
  grayscale: (data, i) => () => 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!,
  mask_black: (data, i, strength) => (channel) => data[i + channel]! * strength,
  none: () => () => 0,
};
