/** The recorded pictures, by the name of the method; the build gives them their addresses. */
const pictures = import.meta.glob<string>('./pictures/*.webp', {
  eager: true,
  query: '?url',
  import: 'default',
});

export const pictureOf = (name: string): string => pictures[`./pictures/${name}.webp`] ?? '';
