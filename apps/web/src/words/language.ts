import type { Language } from '../state/session.ts';

const key = 'whylight-language';

/** The language that the user has chosen, else the first that the browser asks pages for and this page has. */
export function preferredLanguage(): Language {
  const chosen = remembered();
  if (chosen) return chosen;
  for (const tag of navigator.languages) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(key, language);
  } catch {
    // A browser that stores nothing asks again the next time.
  }
}

function remembered(): Language | null {
  try {
    const value = localStorage.getItem(key);
    return value === 'en' || value === 'zh' ? value : null;
  } catch {
    return null;
  }
}
