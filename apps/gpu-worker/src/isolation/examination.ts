import { type ModelReport, modelReportSchema, type Validation, validationSchema } from '@whylight/contract';
import { z } from 'zod';
import { factsOf } from '../verdicts.ts';

/** The messages that the process may send. It is not trusted: `hear` ignores all others. */
const foundSchema = z.union([
  z.object({ started: validationSchema }),
  z.object({ running: z.string() }),
  z.object({ verdict: modelReportSchema.shape.methods.element }),
]);

type Verdict = ModelReport['methods'][number];

/**
 * Collects the findings of an examination. The process of the model may end, by itself or because its time is over:
 * then the findings so far count.
 */
export class Examination {
  #started: Validation | undefined;
  #running: string | undefined;
  readonly #verdicts = new Map<string, Verdict>();

  hear(said: unknown): void {
    const found = foundSchema.safeParse(said).data;
    if (!found) return;
    if ('started' in found) this.#started = found.started;
    else if ('running' in found) this.#running = found.running;
    else this.#verdicts.set(found.verdict.id, found.verdict);
  }

  /** The findings; undefined until the network has run. `running`: the verdict on the method that was under way. */
  soFar(running: Pick<Verdict, 'works' | 'reason'>, reason: string): Validation | undefined {
    if (this.#started?.outcome !== 'ready') return undefined;
    const { report, facts } = this.#started;
    const methods = report.methods.map((method): Verdict => {
      const verdict = this.#verdicts.get(method.id);
      if (verdict) return verdict;
      if (method.id === this.#running) return { ...method, ...running };
      return method.works === null ? { ...method, reason } : method;
    });
    return { outcome: 'ready', report: { ...report, methods }, facts: { ...facts, ...factsOf(methods) } };
  }
}
