import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ServiceAccess } from '../state/session.ts';
import { useWords } from '../words/words.ts';
import type { Workbench } from '../workbench/workbench.ts';
import type { Parts } from './parts.ts';

/** Where it is computed: in this tab or on the service. The key is asked for the service only, and here. */
export function PlaceCard({ session, workbench }: Parts): JSX.Element | null {
  const words = useWords().place;
  const { service, engine } = session;
  const [wanted, want] = useState<'tab' | 'service' | null>(null);
  if (!service) return null;
  const used = engine.phase === 'ready' ? engine.facts.place : null;
  const place = wanted ?? used ?? 'tab';
  const choose = (next: 'tab' | 'service') => {
    want(next);
    if (next === 'tab') void workbench?.useTab();
    else if (service.key.phase === 'accepted') void workbench?.useServiceAgain();
  };
  return (
    <section aria-labelledby="place-heading">
      <h2 id="place-heading">{words.heading}</h2>
      <div class="places" role="radiogroup" aria-labelledby="place-heading">
        {(['tab', 'service'] as const).map((id) => (
          <label key={id}>
            <input
              type="radio"
              name="place"
              checked={place === id}
              disabled={!workbench}
              onChange={() => choose(id)}
            />
            <span>
              {words[id]} <small>{words.about[id](new URL(service.url).host)}</small>
            </span>
          </label>
        ))}
      </div>
      {place === 'service' && service.key.phase !== 'accepted' && (
        <KeyForm keyState={service.key} workbench={workbench} />
      )}
    </section>
  );
}

interface KeyFormProps {
  readonly keyState: ServiceAccess['key'];
  readonly workbench: Workbench | null;
}

function KeyForm({ keyState, workbench }: KeyFormProps): JSX.Element {
  const words = useWords().place;
  const [key, setKey] = useState('');
  const isChecking = keyState.phase === 'checking';
  const fault = keyState.phase === 'refused' ? keyState : null;
  return (
    <form
      class="key"
      onSubmit={(event) => {
        event.preventDefault();
        void workbench?.useService(key.trim());
      }}
    >
      <label for="api-key">{words.key}</label>
      <input
        id="api-key"
        type="password"
        autocomplete="off"
        spellcheck={false}
        required
        value={key}
        aria-invalid={fault !== null}
        aria-describedby={fault ? 'api-key-fault' : 'api-key-about'}
        onInput={({ currentTarget }) => setKey(currentTarget.value)}
      />
      <button type="submit" disabled={!workbench || isChecking}>
        {words.useKey}
      </button>
      {fault && (
        <p class="fault" role="alert" id="api-key-fault">
          {fault.isKey ? words.refused : words.unreachable} <span>{fault.message}</span>
        </p>
      )}
      {isChecking && (
        <p class="small" role="status">
          {words.checking}
        </p>
      )}
      <p class="small" id="api-key-about">
        {words.keyAbout}
      </p>
    </form>
  );
}
