import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../state/session.ts';
import { Speaking, wordsIn } from '../words/words.ts';
import { ClassList } from './class-list.tsx';
import { Header } from './header.tsx';
import { LookControls } from './look-controls.tsx';
import { MethodDialog } from './method-dialog.tsx';
import { MethodGrid } from './method-grid.tsx';
import { ModelCardView } from './model-card.tsx';
import type { Parts } from './parts.ts';
import { PhotoCard } from './photo-card.tsx';
import { PlaceCard } from './place-card.tsx';
import { Verdict } from './verdict.tsx';

export function Page({
  session,
  workbench,
  onLanguage,
}: Parts & { readonly onLanguage?: (language: Session['language']) => void }): JSX.Element {
  const words = wordsIn[session.language];
  const [choosing, choose] = useState(false);
  return (
    <Speaking value={session.language}>
      <a class="skip" href="#maps">
        {words.skip}
      </a>
      <Header engine={session.engine} language={session.language} onLanguage={onLanguage} />
      <noscript>
        <p class="notice">{words.withoutScript}</p>
      </noscript>
      <main>
        <div class="results" id="maps" tabIndex={-1}>
          <Verdict session={session} workbench={workbench} />
          <h2 class="unseen">{words.maps}</h2>
          <MethodGrid session={session} workbench={workbench} onAdd={() => choose(true)} />
        </div>
        <aside class="controls">
          <PhotoCard session={session} workbench={workbench} />
          <ClassList session={session} workbench={workbench} />
          <LookControls session={session} workbench={workbench} />
          <ModelCardView session={session} workbench={workbench} />
          <PlaceCard session={session} workbench={workbench} />
        </aside>
      </main>
      <footer>{words.footer}</footer>
      {choosing && session.model && (
        <MethodDialog session={session} workbench={workbench} onClose={() => choose(false)} />
      )}
    </Speaking>
  );
}
