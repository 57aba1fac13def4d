import type { MethodFacts } from '@whylight/web';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../words/words.ts';
import type { Parts } from './parts.ts';

const groups = ['layer', 'gradient', 'perturbation', 'attention'] as const;
type Group = (typeof groups)[number];

/** How a method looks at a network, by what it needs of it. */
export function groupOf({ needs }: Pick<MethodFacts, 'needs'>): Group {
  if (needs.includes('attention')) return 'attention';
  if (needs.includes('layer')) return 'layer';
  return needs.includes('gradient') ? 'gradient' : 'perturbation';
}

/** All methods, in groups, with a search. */
export function MethodDialog({
  session,
  workbench,
  onClose,
}: Parts & { readonly onClose: () => void }): JSX.Element {
  const words = useWords().methods;
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, search] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  const wanted = text.trim().toLowerCase();
  const found = (session.model?.methods ?? []).filter(({ id, title, summary }) =>
    `${id} ${title} ${summary}`.toLowerCase().includes(wanted),
  );
  return (
    <dialog ref={dialog} class="methods" aria-labelledby="methods-heading" onClose={onClose}>
      <div class="heading">
        <h2 id="methods-heading">{words.heading}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          {words.close}
        </button>
      </div>
      <label class="search">
        <span class="unseen">{words.search}</span>
        <input
          type="search"
          placeholder={words.search}
          value={text}
          onInput={({ currentTarget }) => search(currentTarget.value)}
        />
      </label>
      <div class="scroll" tabIndex={-1}>
        {groups.map((group) => {
          const inGroup = found.filter((facts) => groupOf(facts) === group);
          const [heading, about] = words.groups[group] as [string, string];
          return (
            inGroup.length > 0 && (
              <section key={group}>
                <h3>{heading}</h3>
                <p class="small">{about}</p>
                <ul>
                  {inGroup.map((facts) => (
                    <MethodRow key={facts.id} facts={facts} session={session} workbench={workbench} />
                  ))}
                </ul>
              </section>
            )
          );
        })}
      </div>
    </dialog>
  );
}

function MethodRow({ facts, session, workbench }: Parts & { readonly facts: MethodFacts }): JSX.Element {
  const words = useWords().methods;
  const { id, title, summary, paper, works, reason, runs } = facts;
  const isShown = session.tiles.some(({ method }) => method === id);
  return (
    <li class={works ? 'method' : 'method unfit'}>
      <div>
        <h4>{title}</h4>
        <p>{summary}</p>
        {!works && <p class="fault">{words.unfit}.</p>}
        {reason && <p class="small">{reason}</p>}
        <p class="small">
          {words.cost(runs)} ·{' '}
          <a href={paper} target="_blank" rel="noreferrer">
            {words.paper}
          </a>
        </p>
      </div>
      <button type="button" disabled={!works || isShown} onClick={() => workbench?.addMethod(id)}>
        {isShown ? words.shown : words.show}
        <span class="unseen"> {title}</span>
      </button>
    </li>
  );
}
