/** Photos that anybody may use, to begin with. The first is the one of the recorded result. */
export const gallery = ['coffee', 'cat', 'rocket', 'astronaut'] as const;
export type GalleryPhoto = (typeof gallery)[number];
export const addressOf = (photo: GalleryPhoto): string => `./photos/${photo}.jpg`;
