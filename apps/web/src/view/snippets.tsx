import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Session, Shown } from '../state/session.ts';
import { snippetsOf } from '../take-away/snippets.ts';
import { useWords } from '../words/words.ts';

interface Props {
  readonly shown: Extract<Shown, { readonly kind: 'computed' }>;
  readonly session: Session;
}

/** The same explanation as a command and as programs. */
export function Snippets({ shown, session }: Props): JSX.Element {
  const words = useWords().take;
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async (id: string, text: string) => {
    await navigator.clipboard.writeText(text);
    setCopied(id);
  };
  return (
    <div class="snippets">
      <h4>{words.same}</h4>
      {snippetsOf(shown, session).map(({ id, text }) => (
        <details key={id}>
          <summary>{words.snippets[id]}</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>
            <code>{text}</code>
          </pre>
          <button type="button" onClick={() => void copy(id, text)}>
            {copied === id ? words.copied : words.copy}
          </button>
        </details>
      ))}
    </div>
  );
}
