import { render } from 'preact-render-to-string';
import { firstSession } from '../src/first/first-session.ts';
import type { Language } from '../src/state/session.ts';
import { Page } from '../src/view/page.tsx';
import { wordsIn } from '../src/words/words.ts';

/** The page before any script has run, for the build. */
export function firstHtml(language: Language): { title: string; description: string; page: string } {
  const { title, description } = wordsIn[language];
  return { title, description, page: render(<Page session={firstSession(language)} workbench={null} />) };
}
