import type { PreprocessingReport } from '@whylight/contract';
import { shown, sourceText } from '@whylight/host';
import { counted } from './output.ts';

type Part = Exclude<keyof PreprocessingReport, 'labels'>;

/** Describes how the graph shows the part. */
function fromGraph(part: Part): string {
  if (part === 'scale' || part === 'mean' || part === 'std')
    return 'from the graph, whose first operators scale the pixels';
  return part === 'size'
    ? 'from the graph, which takes this size'
    : 'from the graph, which resizes the photo itself';
}

function sourceOf(from: string, part: Part): string {
  if (from === 'graph') return fromGraph(part);
  return from === 'assumed' ? 'assumed' : `from ${sourceText(from)}`;
}

/** Lists what each source states of a model's input and classes, a line for each source. */
export function sourceLines({ labels, ...parts }: PreprocessingReport): string[] {
  const said = new Map<string, string[]>();
  const add = (from: string, what: string) => said.set(from, [...(said.get(from) ?? []), what]);
  for (const part of Object.keys(parts) as Part[]) {
    const { value, from } = parts[part];
    // A margin's colour matters only if there is a margin; a value of null follows from the size.
    if (value === null || (part === 'pad_color' && parts.fit.value !== 'letterbox')) continue;
    add(sourceOf(from, part), `${part.replace('_', '-')} ${shown(value, part)}`);
  }
  if (labels) add(`from ${sourceText(labels.from)}`, counted(labels.value, 'label'));
  return [...said].map(([from, what]) => `${what.join(', ')}: ${from}`);
}
