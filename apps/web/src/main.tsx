import { hydrate, render } from 'preact';
import { startTabEngine } from './engine/tab-engine.ts';
import { firstSession } from './first/first-session.ts';
import { addressOf, gallery } from './photo/gallery.ts';
import { keepEngine, keepPage } from './service-worker/register.ts';
import type { Language } from './state/session.ts';
import { Store } from './state/store.ts';
import { Page } from './view/page.tsx';
import { preferredLanguage, rememberLanguage } from './words/language.ts';
import { wordsIn } from './words/words.ts';
import { takeFiles } from './workbench/take-files.ts';
import { Workbench } from './workbench/workbench.ts';

const root = document.getElementById('page')!;
const language = preferredLanguage();
const store = new Store(firstSession(language));
const workbench = new Workbench(store);

const speak = (chosen: Language) => {
  rememberLanguage(chosen);
  store.change({ type: 'language', language: chosen });
};
const page = () => <Page session={store.session} workbench={workbench} onLanguage={speak} />;

function draw(): void {
  const { language } = store.session;
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = wordsIn[language].title;
  render(page(), root);
}

// The HTML that the build wrote stays, where it is in the language of the user. It is taken over as it was written, with
// everything that needs a script switched off; the next drawing switches it on.
if (document.documentElement.lang.startsWith(language))
  hydrate(<Page session={store.session} workbench={null} />, root);
else root.replaceChildren();
draw();

let isDue = false;
store.listen(() => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
});

takeFiles(workbench);
keepPage();
void workbench.chooseFirst(addressOf(gallery[0]));
void workbench.start(startTabEngine).then(keepEngine);
