import { type ModelSource, type Validation, validationPatience, validationSchema } from '@whylight/contract';
import { Budget, FairQueue, leavePlaces } from '@whylight/host';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import { tenantOf } from '../storage/tenant-of.ts';
import type { Log } from '../telemetry/log.ts';
import { Examination } from './examination.ts';
import { readModelBytes } from './model-bytes.ts';
import { ModelProcess, type ProcessSettings } from './model-process.ts';
import type { ProcessTurns } from './process-turns.ts';
import { causeOf, refusalOf, validationSoFar } from './validation-outcome.ts';

export interface ExaminationSettings {
  readonly storage: Storage;
  readonly log: Log;
  readonly process: ProcessSettings;
  /** Shares the cores among tenants. */
  readonly turns: ProcessTurns;
  /** Longest time to examine a model, or to load one, in milliseconds. */
  readonly patience: number;
}

/** Of the time to examine a model, what it may take to run methods: the last one may take longer than was foreseen. */
const budgetShare = 0.9;
/** Examinations at a time, each in a process of its own. The second place is never for a tenant who has the first. */
const examinations = 2;
/** Models that may wait to be examined. A tenant may have as many as there are places left: one tenant alone gets half of them. */
const mostWaiting = 64;
/** Milliseconds for the answer to reach the gateway. */
const answerTime = 5000;
/** A tenant may use as many places as it leaves to the others, but not the last one. */
const greed = 1;

/** Examines models that tenants bring, in turns of the tenants. */
export class ModelExaminations {
  readonly #settings: ExaminationSettings;
  readonly #queue = new FairQueue({
    capacity: new Budget(examinations),
    mayStart: leavePlaces(examinations, greed),
    mayWait: leavePlaces(mostWaiting, greed),
  });

  constructor(settings: ExaminationSettings) {
    this.#settings = settings;
  }

  /**
   * Examines a model in a process that is thrown away after it, when its tenant's turn has come.
   *
   * @throws JobFailure `storage_unavailable`, `model_deleted`. @returns null when too many models wait, when its turn has not
   *   come while the gateway waits, or when the gateway is gone
   */
  async validate(source: ModelSource, gone: AbortSignal): Promise<Validation | null> {
    const task = { owner: tenantOf(source.object), claim: 1 };
    if (!this.#queue.hasRoomFor(task)) return null;
    const wait = Math.max(validationPatience - this.#settings.patience - answerTime, 0);
    const over = AbortSignal.any([gone, AbortSignal.timeout(wait)]);
    return this.#queue
      .run(task, () => this.#examine(source), over)
      .catch((error: unknown) => {
        if (over.aborted && error === over.reason) return null;
        throw error;
      });
  }

  async #examine(source: ModelSource): Promise<Validation> {
    const { storage, patience, process, log, turns } = this.#settings;
    const tenant = tenantOf(source.object);
    const late = AbortSignal.timeout(patience);
    const end = performance.now() + patience;
    const examination = new Examination();
    let held: ModelProcess | undefined;
    try {
      const bytes = await readModelBytes(source, storage, AbortSignal.timeout(patience));
      const started = await ModelProcess.start({ ...source, bytes }, process, late);
      held = started;
      const budget = Math.floor(((end - performance.now()) / 1000) * budgetShare);
      const examine = () => started.examine(budget, (found) => examination.hear(found), late);
      return validationSchema.parse(await turns.during(tenant, started, examine, late));
    } catch (error) {
      if (error instanceof JobFailure && error.error.code !== 'upload_mismatch') throw error;
      const found = validationSoFar(examination, error, late, this.#settings);
      if (found) return found;
      const refused = refusalOf(error, late, this.#settings);
      log('model_rejected', { model: source.id, code: refused.code, ...causeOf(error) });
      return { outcome: 'rejected', error: refused };
    } finally {
      await held?.close();
    }
  }
}
