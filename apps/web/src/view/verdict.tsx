import type { JSX } from 'preact';
import { areClassesStale } from '../state/session.ts';
import { nameOf, useLanguage, useWords, valueText } from '../words/words.ts';
import type { Parts } from './parts.ts';

/** What the network says of the photo, and what the maps explain. */
export function Verdict({ session, workbench }: Parts): JSX.Element {
  const words = useWords();
  const language = useLanguage();
  const { classes, target, engine, model } = session;
  const [likeliest] = classes?.all ?? [];
  const explained = target === null ? null : classes?.all.find(({ class_index }) => class_index === target);
  const isUnsure = classes?.warnings.some(({ code }) => code === 'unsure') ?? false;
  const isReady = engine.phase === 'ready' && model !== null;
  return (
    <div class="verdict">
      <p class={areClassesStale(session) ? 'said stale' : 'said'} aria-live="polite">
        {words.verdict.says} <strong>{likeliest ? nameOf(likeliest, language) : '…'}</strong>{' '}
        {likeliest && <span class="value">{valueText(likeliest)}</span>}
        {isUnsure && <em> {words.verdict.unsure}</em>}
        {explained && (
          <span class="explained">
            {' '}
            {words.verdict.explained} <strong>{nameOf(explained, language)}</strong>{' '}
            <span class="value">{valueText(explained)}</span>
          </span>
        )}
      </p>
      <div class="actions">
        <button
          type="button"
          class="main"
          disabled={!isReady}
          title={words.explain.allAbout}
          onClick={() => workbench?.explainAll()}
        >
          {words.explain.all}
        </button>
      </div>
    </div>
  );
}
