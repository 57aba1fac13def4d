import type { JSX } from 'preact';
import { useWords } from '../words/words.ts';

interface Props {
  readonly label: string;
  readonly fractions: readonly number[];
  readonly map: readonly number[];
  readonly chance: readonly number[];
}

const [width, height] = [200, 80];

/** The score over the part of the pixels that has changed: in the order of the map as a line, by chance as a dashed one. */
export function Curve({ label, fractions, map, chance }: Props): JSX.Element {
  const words = useWords().quality;
  const all = [...map, ...chance, 0];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const path = (values: readonly number[]) =>
    values
      .map((value, i) => {
        const x = fractions[i]! * width;
        const y = height - ((value - least) / (most - least || 1)) * height;
        return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
      })
      .join('');
  return (
    <figure class="curve">
      <figcaption>
        {label} <span class="small">{words.lines}</span>
      </figcaption>
      <svg viewBox={`-2 -2 ${width + 4} ${height + 4}`} aria-hidden="true">
        <path class="axis" d={`M0 0V${height}H${width}`} />
        <path class="chance" d={path(chance)} />
        <path class="of-map" pathLength={1} d={path(map)} />
      </svg>
    </figure>
  );
}
