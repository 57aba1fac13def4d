import { hydrate, render } from 'preact';
import { serviceAddress } from './engine/service-address.ts';
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
const service = serviceAddress();
const store = new Store({
  ...firstSession(language),
  service: service && { url: service.url, key: { phase: 'none' } },
});
const workbench = new Workbench(store, {
  tab: startTabEngine,
  // Only who has a key needs the client of the service.
  service: async (url, key) => (await import('./engine/service-engine.ts')).startServiceEngine(url, key),
});

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
void begin();

/** With a key that was handed over the service answers, unless it does not take the key. */
async function begin(): Promise<void> {
  if (service?.key) await workbench.useService(service.key);
  if (store.session.service?.key.phase === 'accepted') return;
  await workbench.useTab();
  // Only now: a second request for WebAssembly would abort the first one, with which the engine starts.
  await keepEngine();
}
