import { type ColormapName, colormapNames } from '@whylight/core/drawing';
import type { JSX } from 'preact';
import type { Look } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import type { Parts } from './parts.ts';

const backdrops = ['original', 'grayscale', 'mask_black'] as const;

export function LookControls({ session: { look }, workbench }: Parts): JSX.Element {
  const words = useWords().look;
  const change = (part: Partial<Look>) => workbench?.changeLook(part);
  const percent = Math.round(look.opacity * 100);
  return (
    <section aria-labelledby="look-heading">
      <h2 id="look-heading">{words.heading}</h2>
      <label class="field">
        <span>{words.opacity}</span>
        <input
          type="range"
          min={10}
          max={100}
          step={5}
          value={percent}
          disabled={!workbench}
          aria-valuetext={words.percent(percent)}
          onInput={({ currentTarget }) => change({ opacity: Number(currentTarget.value) / 100 })}
        />
        <output>{words.percent(percent)}</output>
      </label>
      <label class="field">
        <span>{words.hidden}</span>
        <input
          type="range"
          min={0}
          max={95}
          step={5}
          value={look.hidden}
          disabled={!workbench}
          aria-valuetext={words.percent(look.hidden)}
          onInput={({ currentTarget }) => change({ hidden: Number(currentTarget.value) })}
        />
        <output>{words.percent(look.hidden)}</output>
      </label>
      <label class="field">
        <span>{words.backdrop}</span>
        <select
          value={look.backdrop}
          disabled={!workbench}
          onChange={({ currentTarget }) => change({ backdrop: currentTarget.value as Look['backdrop'] })}
        >
          {backdrops.map((id) => (
            <option key={id} value={id}>
              {words.backdrops[id]}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{words.colours}</span>
        <select
          value={look.colormap ?? ''}
          disabled={!workbench}
          onChange={({ currentTarget: { value } }) =>
            change({ colormap: value === '' ? null : (value as ColormapName) })
          }
        >
          <option value="">{words.ownColours}</option>
          {colormapNames.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </section>
  );
}
