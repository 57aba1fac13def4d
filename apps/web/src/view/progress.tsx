import type { JSX } from 'preact';

interface Props {
  readonly label: string;
  /** The part that is done, from 0 to 1; null while nothing can be counted. */
  readonly part: number | null;
}

export function Progress({ label, part }: Props): JSX.Element {
  return part === null ? (
    <progress aria-label={label} />
  ) : (
    <progress aria-label={label} value={part} max={1} />
  );
}
