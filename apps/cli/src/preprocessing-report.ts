import { type PreprocessingReport, shown } from '@whylight/host';
import { counted } from './output.ts';

type Part = Exclude<keyof PreprocessingReport, 'labels'>;

/** What the sources are called in a line for people. */
const sources: ReadonlyMap<string, string> = new Map([
  ['option', 'as asked'],
  ['manifest', 'from the manifest'],
  ['metadata', 'from the metadata in the file'],
  ['graph', 'by what the graph does first'],
  ['file', 'as the file states'],
  ['preset', 'from the preset'],
  ['assumed', 'assumed'],
]);

/** Who said what of a model's input and classes, a line for each of them. */
export function sourceLines({ labels, ...parts }: PreprocessingReport): string[] {
  const said = new Map<string, string[]>();
  const add = (from: string, what: string) => said.set(from, [...(said.get(from) ?? []), what]);
  for (const part of Object.keys(parts) as Part[]) {
    const { value, from } = parts[part];
    // A margin's colour matters where there is a margin; what is null follows from the size.
    if (value === null || (part === 'pad_color' && parts.fit.value !== 'letterbox')) continue;
    add(from, `${part.replace('_', '-')} ${shown(value, part)}`);
  }
  if (labels) add(labels.from, counted(labels.value, 'label'));
  return [...said].map(([from, what]) => `${what.join(', ')}: ${sources.get(from) ?? `from ${from}`}`);
}
