import { type Prediction, shownValue } from './predictions.ts';

export type Language = 'en' | 'zh';

/** The word before a number that is not a probability. */
const scoreWord = { en: ', score', zh: '，得分' } as const;

/** Writes a class and its probability; if the network gives no probability, its score, with the word. */
export function predictionText(prediction: Prediction, language: Language, digits = 3): string {
  const { label, label_zh, probability } = prediction;
  const name = language === 'zh' ? (label_zh ?? label) : label;
  const word = probability === undefined ? scoreWord[language] : '';
  return `${name}${word} ${shownValue(prediction).toFixed(digits)}`;
}
