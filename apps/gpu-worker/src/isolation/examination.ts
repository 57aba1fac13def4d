import { type ModelReport, modelReportSchema, type Validation, validationSchema } from '@whylight/contract';
import { z } from 'zod';
import { factsOf } from '../verdicts.ts';

/** What the process may say. It is a stranger's: `hear` ignores everything else. */
const foundSchema = z.union([
  z.object({ started: validationSchema }),
  z.object({ running: z.string() }),
  z.object({ verdict: modelReportSchema.shape.methods.element }),
]);

type Verdict = ModelReport['methods'][number];

/**
 * What an examination has found so far. The process of the model may end, by itself or because its time is over: then this
 * counts.
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

  /** Nothing until the network has run. `running`: what is said of the method that was under way. */
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
