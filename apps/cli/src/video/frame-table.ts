import type { ExplainedFrame } from '@whylight/host';
import { writeBytes } from '../files.ts';
import type { VideoFacts } from './probe.ts';

const header = [
  ...['frame', 'seconds', 'class_index', 'label', 'probability', 'score'],
  ...['target_index', 'target_label', 'target_probability', 'target_score', 'largest'],
];

/** A table with a row for each frame: when it is shown, what it shows, and how strong its own map is. */
export class FrameTable {
  readonly #rows: string[] = [header.join(',')];
  readonly #secondsPerFrame: number;

  constructor({ rate }: VideoFacts) {
    const [frames, seconds = 1] = rate.split('/').map(Number) as [number, number?];
    this.#secondsPerFrame = seconds / frames;
  }

  /** @param largest the magnitude at which the frame's colours would be strongest, had it a scale of its own */
  add({ predicted, target }: ExplainedFrame, largest: number): void {
    const frame = this.#rows.length - 1;
    const ofClass = ({ class_index, label, probability, score }: ExplainedFrame['predicted']) => [
      class_index,
      quoted(label),
      probability ?? '',
      score,
    ];
    const seconds = Number((frame * this.#secondsPerFrame).toFixed(6));
    this.#rows.push([frame, seconds, ...ofClass(predicted), ...ofClass(target), largest].join(','));
  }

  /** @throws Failure if the file cannot be written */
  async write(path: string): Promise<void> {
    await writeBytes(path, new TextEncoder().encode(`${this.#rows.join('\n')}\n`));
  }
}

/** Quotes a name as RFC 4180 does. */
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
