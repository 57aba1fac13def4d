import type { Language } from '@whylight/contract';
import { encodePng, type PhotoExplanation, renderChart, shownValue } from '@whylight/host';

const words = {
  en: { title: 'Likeliest classes', probability: 'Probability', score: 'Score' },
  zh: { title: '最可能的类别', probability: '概率', score: '得分' },
};

/** A bar for each of the likeliest classes, as PNG. */
export async function drawProbabilities(
  { result }: Pick<PhotoExplanation, 'result'>,
  language: Language,
): Promise<Uint8Array> {
  const { predictions } = result;
  const { title, ...columns } = words[language];
  const isProbable = predictions.every(({ probability }) => probability !== undefined);
  const { picture } = await renderChart({
    title,
    rows: predictions.map(({ label, label_zh }) => ({
      name: language === 'zh' ? (label_zh ?? label) : label,
      baseline: false,
    })),
    columns: [
      {
        title: isProbable ? columns.probability : columns.score,
        better: null,
        values: predictions.map(shownValue),
      },
    ],
  });
  return encodePng(picture);
}
