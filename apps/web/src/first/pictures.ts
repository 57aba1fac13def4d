/** The recorded pictures, by the name of the method; the build gives them their addresses. */
const pictures = new Map(
  Object.entries(
    import.meta.glob<string>('./pictures/*.webp', { eager: true, query: '?url', import: 'default' }),
  ),
);

export const pictureOf = (name: string): string => pictures.get(`./pictures/${name}.webp`) ?? '';
