import { type ModelReport, modelReportSchema, type Validation, validationSchema } from '@whylight/contract';
import { z } from 'zod';
import { factsOf } from '../verdicts.ts';

/** What the process says, which is a stranger's: anything else that it says is not heard. */
const foundSchema = z.union([
  z.object({ started: validationSchema }),
  z.object({ running: z.string() }),
  z.object({ verdict: modelReportSchema.shape.methods.element }),
]);

type Verdict = ModelReport['methods'][number];

/**
 * What is known of a model while it is examined. Its process may end, by itself or because its time is over: what has been
 * found by then counts.
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
