import type { Warning } from '@whylight/core';
import type { Legend } from '@whylight/core/drawing';
import type { JSX, RefObject } from 'preact';
import { useWords } from '../words/words.ts';

interface Props {
  readonly legend: Legend | null;
  readonly bar: RefObject<HTMLCanvasElement | null>;
  /** The value under the pointer. */
  readonly value: number | null;
  readonly warnings: readonly Warning[];
}

/** The colours from the lowest to the highest value, and in words what they mean. */
export function LegendView({ legend, bar, value, warnings }: Props): JSX.Element {
  const words = useWords().legend;
  const ticks = legend?.ticks.toReversed() ?? [];
  return (
    <div class="legend">
      <canvas ref={bar} role="img" aria-label={words.bar} width={256} height={1} />
      <p class="ticks">
        {ticks.map(({ at, text }) => (
          <span key={at}>{text}</span>
        ))}
      </p>
      <details>
        <summary>
          <span aria-live="polite">{value === null ? words.heading : words.value(value.toPrecision(3))}</span>
        </summary>
        <ul>
          {legend?.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
          {warnings.map(({ code, message }) => (
            <li key={code}>{message}</li>
          ))}
          <li>{words.point}</li>
        </ul>
      </details>
    </div>
  );
}
