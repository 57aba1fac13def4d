import type { JSX } from 'preact';
import type { EngineState, Language } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import { Progress } from './progress.tsx';

const languages = [
  ['en', 'English'],
  ['zh', '中文'],
] as const;

interface Props {
  readonly engine: EngineState;
  readonly language: Language;
  readonly onLanguage: ((language: Language) => void) | undefined;
}

export function Header({ engine, language, onLanguage }: Props): JSX.Element {
  const words = useWords();
  return (
    <header class="top">
      <div class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path class="lid" d="M2 16C7 7 25 7 30 16C25 25 7 25 2 16Z" />
          <circle class="iris" cx="16" cy="16" r="5.5" />
        </svg>
        <h1>Whylight</h1>
        <p>{words.tagline}</p>
      </div>
      <EngineLine engine={engine} />
      <fieldset class="languages">
        <legend class="unseen">{words.language}</legend>
        {languages.map(([id, name]) => (
          <button
            key={id}
            type="button"
            lang={id}
            aria-pressed={language === id}
            onClick={() => onLanguage?.(id)}
          >
            {name}
          </button>
        ))}
      </fieldset>
    </header>
  );
}

function EngineLine({ engine }: { readonly engine: EngineState }): JSX.Element {
  const words = useWords().engine;
  if (engine.phase === 'failed')
    return (
      <p class="engine" role="alert">
        {words.failed} <span>{engine.message}</span>
      </p>
    );
  if (engine.phase === 'loading') {
    const text = engine.what === 'model' ? words.loadingModel : words.loading;
    return (
      <p class="engine">
        <span role="status">{text}</span> <Progress label={text} part={engine.part} />
      </p>
    );
  }
  if (engine.facts.place === 'service') {
    const { url, unitsLeft } = engine.facts;
    return (
      <p class="engine">
        <span role="status">{words.onService(new URL(url).host)}</span>
        <small>{words.uploads(unitsLeft)}</small>
      </p>
    );
  }
  const { device, threads, reasons } = engine.facts;
  return (
    <p class="engine" title={reasons.join('\n')}>
      <span role="status">{words.ready(`${device}, ${words.threads(threads)}`)}</span>
      <small>{words.private}</small>
    </p>
  );
}
