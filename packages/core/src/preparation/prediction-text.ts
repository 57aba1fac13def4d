import { type Prediction, shownValue } from './predictions.ts';

export type Language = 'en' | 'zh';

/** The word before a number that is no probability. */
const scoreWord = { en: ', score', zh: '，得分' } as const;

/** A class and its probability; where the network gives none, its score, with the word. */
export function predictionText(prediction: Prediction, language: Language, digits = 3): string {
  const { label, label_zh, probability } = prediction;
  const name = language === 'zh' ? (label_zh ?? label) : label;
  const word = probability === undefined ? scoreWord[language] : '';
  return `${name}${word} ${shownValue(prediction).toFixed(digits)}`;
}
