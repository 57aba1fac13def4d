import type { Prediction } from '@whylight/core/preparation';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { areClassesStale } from '../state/session.ts';
import { nameOf, useLanguage, useWords, valueText } from '../words/words.ts';
import type { Parts } from './parts.ts';

/** As many as fit beside the maps. */
const shownAtOnce = 5;
const foundAtOnce = 20;

/** The classes as bars, and a search over all. A press on one has the maps explain it. */
export function ClassList({ session, workbench }: Parts): JSX.Element {
  const words = useWords().classes;
  const language = useLanguage();
  const [text, search] = useState('');
  const { classes, target, classifying } = session;
  const all = classes?.all ?? [];
  const wanted = text.trim().toLowerCase();
  const found = wanted === '' ? all : all.filter((one) => isNamed(one, wanted));
  const listed = found.slice(0, wanted === '' ? shownAtOnce : foundAtOnce);
  const chosen = target ?? all[0]?.class_index;
  return (
    <section aria-labelledby="classes-heading">
      <h2 id="classes-heading">{words.heading}</h2>
      {classifying.phase === 'failed' && (
        <p class="fault" role="alert">
          {classifying.message}
        </p>
      )}
      <ol
        class={areClassesStale(session) ? 'bars stale' : 'bars'}
        aria-busy={classifying.phase === 'running'}
      >
        {listed.map((one) => (
          <li key={one.class_index}>
            <button
              type="button"
              disabled={!workbench}
              aria-pressed={one.class_index === chosen}
              onClick={() =>
                workbench?.chooseTarget(one.class_index === all[0]?.class_index ? null : one.class_index)
              }
            >
              <Bar prediction={one} />
              <span class="unseen">{words.explainThis}</span>
              <span class="name">{nameOf(one, language)}</span> <span class="value">{valueText(one)}</span>
            </button>
          </li>
        ))}
      </ol>
      <label class="search">
        <span class="unseen">{words.search}</span>
        <input
          type="search"
          disabled={!workbench}
          placeholder={words.search}
          value={text}
          onInput={({ currentTarget }) => search(currentTarget.value)}
        />
      </label>
      <p class="small" aria-live="polite">
        {wanted !== '' && (found.length === 0 ? words.nothing(text.trim()) : words.found(found.length))}
      </p>
    </section>
  );
}

const isNamed = ({ label, label_zh, class_index }: Prediction, wanted: string): boolean =>
  label.toLowerCase().includes(wanted) ||
  (label_zh?.includes(wanted) ?? false) ||
  String(class_index) === wanted;

/** The probability as a bar; a network that gives none has no bars. */
function Bar({ prediction: { probability } }: { readonly prediction: Prediction }): JSX.Element | null {
  if (probability === undefined) return null;
  return (
    <svg class="bar" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 1">
      <rect width={probability * 100} height="1" />
    </svg>
  );
}
