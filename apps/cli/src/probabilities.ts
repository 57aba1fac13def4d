import { encodePng, type PhotoExplanation, renderChart } from '@whylight/host';

const words = {
  en: { title: 'Likeliest classes', column: 'Probability' },
  zh: { title: '最可能的类别', column: '概率' },
};

/** A bar for each of the classes that score highest, as PNG. */
export async function drawProbabilities(
  { result }: Pick<PhotoExplanation, 'result'>,
  language: 'en' | 'zh',
): Promise<Uint8Array> {
  const { title, column } = words[language];
  const { predictions } = result;
  const { picture } = await renderChart({
    title,
    rows: predictions.map(({ label, label_zh }) => ({
      name: language === 'zh' ? (label_zh ?? label) : label,
      baseline: false,
    })),
    columns: [{ title: column, better: null, values: predictions.map(({ score }) => score) }],
  });
  return encodePng(picture);
}
