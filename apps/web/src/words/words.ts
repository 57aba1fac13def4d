import type { Prediction } from '@whylight/core/preparation';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Language } from '../state/session.ts';
import { en, type Words } from './en.ts';
import { zh } from './zh.ts';

export const wordsIn: Readonly<Record<Language, Words>> = { en, zh };

const Spoken = createContext<Language>('en');
export const Speaking = Spoken.Provider;
export const useLanguage = (): Language => useContext(Spoken);
export const useWords = (): Words => wordsIn[useContext(Spoken)];

/** The name of a class in the page's language, where it has one. */
export const nameOf = (
  { label, label_zh }: Pick<Prediction, 'label' | 'label_zh'>,
  language: Language,
): string => (language === 'zh' && label_zh ? label_zh : label);

/** A probability in percent; where the network gives none, its score. */
export function valueText({ probability, score }: Pick<Prediction, 'probability' | 'score'>): string {
  if (probability === undefined) return score === null ? '' : score.toPrecision(3);
  const percent = probability * 100;
  return percent > 0 && percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(percent >= 99.95 ? 0 : 1)} %`;
}
