import {
  artifactNames,
  explanationResultSchema,
  type ModelErrorCode,
  type ModelSource,
  modelErrorCodes,
  resultSchema,
  sha256Hex,
  type Validation,
  validationPatience,
  validationSchema,
} from '@whylight/contract';
import { InputError, OutOfMemoryError } from '@whylight/core';
import {
  Budget,
  type Classification,
  DeviceError,
  FairQueue,
  KeyedSlots,
  LeaseCache,
  leavePlaces,
  type PhotoExplanation,
  type PhotoRequest,
  type Watch,
} from '@whylight/host';
import { z } from 'zod';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import { tenantOf } from '../storage/tenant-of.ts';
import type { Log } from '../telemetry/log.ts';
import { Examination } from './examination.ts';
import { ModelProcess, ProcessLostError, type ProcessSettings } from './model-process.ts';
import type { ProcessTurns } from './process-turns.ts';

export interface TenantModelSettings {
  readonly storage: Storage;
  readonly log: Log;
  readonly process: ProcessSettings;
  /** Shares the cores among tenants. */
  readonly turns: ProcessTurns;
  /** Processes at a time, and bytes of memory that those that are kept may take in all. */
  readonly capacity: number;
  readonly budget: number;
  /** Milliseconds after which a process that nobody uses ends. */
  readonly idle: number;
  /** Longest time to examine a model, or to load one, in milliseconds. */
  readonly patience: number;
  /** Called for every model that is loaded. */
  readonly onLoad: () => void;
}

/** Of the time to examine a model, what it may take to run methods: the last one may take longer than was foreseen. */
const budgetShare = 0.9;
/** Examinations at a time, each in a process of its own. The second place is never for a tenant who has the first. */
const examinations = 2;
/** Models that may wait to be examined. A tenant may have as many as there are places left: one tenant alone gets half of them. */
const mostWaiting = 64;
/** Milliseconds for the answer to reach the gateway. */
const answerTime = 5000;
/** A tenant may use as many processes as it leaves to the others, but not the last one. */
const greed = 1;

/**
 * The models that tenants have brought. None ever runs in this process: each has one of its own, which is kept for the
 * next job, and a crash, a hang or a hole in it stays with it.
 */
export class TenantModels {
  readonly #settings: TenantModelSettings;
  readonly #processes: LeaseCache<ModelProcess>;
  /** Jobs wait here until there is a slot for the process of their model. */
  readonly #jobs: FairQueue<string>;
  /** Models wait here until they are examined. */
  readonly #examinations = new FairQueue({
    capacity: new Budget(examinations),
    mayStart: leavePlaces(examinations, greed),
    mayWait: leavePlaces(mostWaiting, greed),
  });
  readonly #idle = new Map<string, NodeJS.Timeout>();
  /** By tenant, the model that is being loaded ahead of its jobs. */
  readonly #warming = new Map<string, { readonly id: string; readonly done: Promise<void> }>();

  constructor(settings: TenantModelSettings) {
    const { capacity, budget } = settings;
    this.#settings = settings;
    const slots = new KeyedSlots(capacity);
    this.#jobs = new FairQueue({ capacity: slots, mayStart: slots.leaveSlots(greed) });
    this.#processes = new LeaseCache({ capacity, budget, size: ({ rss }) => rss });
  }

  /** Processes that are kept, and the memory that they take, in bytes. */
  get held(): { count: number; size: number } {
    return this.#processes.held;
  }

  /**
   * Explains a photo by a tenant's model.
   *
   * @throws JobFailure `model_deleted`, `worker_crashed`, `upload_mismatch`, `storage_unavailable`
   * @throws InputError, DeviceError. @throws the signal's reason once it is aborted
   */
  async explain(
    source: ModelSource,
    request: Omit<PhotoRequest, 'model'>,
    watch: Watch & { readonly signal: AbortSignal },
  ): Promise<PhotoExplanation> {
    await this.#checkExists(source, watch.signal);
    return this.#with(source, watch.signal, async (held) =>
      checkExplanation(await held.explain(request, watch)),
    );
  }

  /** The `count` highest scores of a tenant's model. @throws as `explain` does */
  async classify(
    source: ModelSource,
    photo: Uint8Array,
    count: number,
    signal: AbortSignal,
  ): Promise<Classification> {
    await this.#checkExists(source, signal);
    return this.#with(source, signal, async (held) =>
      classificationSchema.parse(await held.classify(photo, count, signal)),
    );
  }

  /** Whether `warm` would load this model now: it loads one of each tenant at a time. */
  mayWarm({ id, object }: ModelSource): boolean {
    const warming = this.#warming.get(tenantOf(object));
    return !warming || warming.id === id;
  }

  /** Gets a model ready for the jobs to come. Who asks while it is being done waits for the same. */
  warm(source: ModelSource, signal: AbortSignal): Promise<void> {
    const tenant = tenantOf(source.object);
    const known = this.#warming.get(tenant);
    if (known) return known.done;
    const done = this.#makeReady(source, signal).finally(() => this.#warming.delete(tenant));
    this.#warming.set(tenant, { id: source.id, done });
    return done;
  }

  async #makeReady(source: ModelSource, signal: AbortSignal): Promise<void> {
    await this.#checkExists(source, signal);
    await this.#with(source, signal, (held) => held.warm());
  }

  /**
   * Examines a model in a process that is thrown away after it, when its tenant's turn has come.
   *
   * @throws JobFailure `storage_unavailable`, `model_deleted`. @returns null when too many models wait, when its turn has not
   *   come while the gateway waits, or when the gateway is gone
   */
  async validate(source: ModelSource, gone: AbortSignal): Promise<Validation | null> {
    const task = { owner: tenantOf(source.object), claim: 1 };
    if (!this.#examinations.hasRoomFor(task)) return null;
    const wait = Math.max(validationPatience - this.#settings.patience - answerTime, 0);
    const over = AbortSignal.any([gone, AbortSignal.timeout(wait)]);
    return this.#examinations
      .run(task, () => this.#examine(source), over)
      .catch((error: unknown) => {
        if (over.aborted && error === over.reason) return null;
        throw error;
      });
  }

  async #examine(source: ModelSource): Promise<Validation> {
    const { patience, process, log, turns } = this.#settings;
    const tenant = tenantOf(source.object);
    const late = AbortSignal.timeout(patience);
    const end = performance.now() + patience;
    const examination = new Examination();
    let held: ModelProcess | undefined;
    try {
      const bytes = await this.#fetch(source, AbortSignal.timeout(patience));
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

  async close(): Promise<void> {
    for (const timer of this.#idle.values()) clearTimeout(timer);
    await this.#processes.close();
  }

  async #checkExists({ object }: ModelSource, signal: AbortSignal): Promise<void> {
    if (!(await this.#settings.storage.has(object, signal))) throw modelDeleted();
  }

  async #with<T>(
    source: ModelSource,
    signal: AbortSignal,
    work: (held: ModelProcess) => Promise<T>,
  ): Promise<T> {
    const { log, onLoad, idle, turns } = this.#settings;
    const key = source.id;
    const tenant = tenantOf(source.object);
    clearTimeout(this.#idle.get(key));
    const make = async () => {
      const held = await this.#load(source);
      onLoad();
      log('model_loaded', { model: key });
      void held.exited.then(() => this.#processes.forget(key, held));
      return held;
    };
    try {
      const inTurn = (held: ModelProcess) => turns.during(tenant, held, () => work(held), signal);
      const useProcess = () => this.#processes.use(key, make, inTurn, tenant);
      return await this.#jobs.run({ owner: tenant, claim: key }, useProcess, signal);
    } catch (error) {
      // A device that is lost to one process is not lost to the others: that process alone goes.
      if (!(error instanceof DeviceError || error instanceof ProcessLostError)) throw error;
      await this.#processes.forget(key);
      log('model_process_lost', { model: key, how: 'how' in error ? error.how : error.message });
      throw new JobFailure('worker_crashed', error.message, true);
    } finally {
      this.#leaveIdle(key, idle);
    }
  }

  /** Not by the signal of the job that came first: others may wait for the model too. */
  async #load(source: ModelSource): Promise<ModelProcess> {
    const { patience, process } = this.#settings;
    const late = AbortSignal.timeout(patience);
    try {
      return await ModelProcess.start({ ...source, bytes: await this.#fetch(source, late) }, process, late);
    } catch (error) {
      if (!late.aborted) throw error;
      const message = `loading the model took longer than ${patience / 1000} s`;
      throw new JobFailure('deadline_exceeded', message, true);
    }
  }

  #leaveIdle(key: string, milliseconds: number): void {
    clearTimeout(this.#idle.get(key));
    const timer = setTimeout(() => {
      this.#idle.delete(key);
      void this.#processes.forget(key);
    }, milliseconds);
    this.#idle.set(key, timer.unref());
  }

  /** The model's bytes, which are what they were when it was registered. */
  async #fetch({ object, bytes, sha256 }: ModelSource, signal: AbortSignal): Promise<Uint8Array> {
    const got = await this.#settings.storage.get(object, bytes, signal).catch((error: unknown) => {
      throw error instanceof JobFailure && error.error.code === 'upload_not_found' ? modelDeleted() : error;
    });
    if (got.byteLength !== bytes)
      throw new JobFailure('upload_mismatch', `the model: expected ${bytes} bytes, got ${got.byteLength}`);
    const digest = await sha256Hex(got as Uint8Array<ArrayBuffer>);
    if (digest !== sha256)
      throw new JobFailure('upload_mismatch', `the model: expected sha256 ${sha256}, got ${digest}`);
    return got;
  }
}

const modelDeleted = () => new JobFailure('model_deleted', 'the model has been deleted');

/** Checks that the other process gave an explanation: nothing that comes from there is taken on trust. */
function checkExplanation({ result, artifacts, batchSize }: PhotoExplanation): PhotoExplanation {
  const checked = artifactNames.map((name) => {
    const bytes = artifacts.get(name);
    if (!(bytes instanceof Uint8Array)) throw new Error(`the process of a model gave no ${name}`);
    return [name, bytes] as const;
  });
  return {
    result: explanationResultSchema.parse(result),
    artifacts: new Map(checked),
    batchSize,
  };
}

const { task, predictions, input_region, image, warnings } = resultSchema.shape;
/** The same of a classification. */
const classificationSchema = z.object({ task, predictions, region: input_region, image, warnings });

/** What was found before the time was over, or before the process ended. */
function validationSoFar(
  examination: Examination,
  error: unknown,
  late: AbortSignal,
  { patience, log }: TenantModelSettings,
): Validation | undefined {
  const reason = `not run within the budget of ${patience / 1000} s`;
  const isLost = error instanceof ProcessLostError;
  if (!late.aborted && !isLost) return undefined;
  if (isLost) log('model_process_lost', { how: error.how });
  // Nobody may ask for a method that ends the process: each time it would take the model from everybody.
  const running = late.aborted
    ? { works: null, reason }
    : {
        works: false,
        reason:
          'the process that ran it has ended: the method crashes on this model, or needs more memory than a model gets',
      };
  const others = late.aborted ? reason : 'not run: another method has ended the process';
  return validationSchema.safeParse(examination.soFar(running, others)).data;
}

const isModelError = (code: string): code is ModelErrorCode =>
  (modelErrorCodes as readonly string[]).includes(code);

/** Why a model is refused, from what its examination ended with. */
function refusalOf(
  error: unknown,
  late: AbortSignal,
  { patience, process }: TenantModelSettings,
): { code: ModelErrorCode; message: string } {
  if (late.aborted)
    return {
      code: 'model_validation_timeout',
      message: `examining the model took longer than ${patience / 1000} s`,
    };
  if (error instanceof JobFailure && isModelError(error.error.code))
    return { code: error.error.code, message: error.message };
  if (error instanceof InputError)
    return { code: isModelError(error.code) ? error.code : 'invalid_model', message: error.message };
  if (error instanceof OutOfMemoryError)
    return {
      code: 'model_too_large',
      message: `the model needs more memory than the ${process.megabytes} MB that a model gets`,
    };
  if (error instanceof ProcessLostError) return { code: 'model_validation_failed', message: error.message };
  return { code: 'model_validation_failed', message: 'the model could not be examined' };
}

/** For the log: where an unforeseen error came from. */
function causeOf(error: unknown): Record<string, unknown> {
  if (error instanceof ProcessLostError) return { how: error.how };
  return error instanceof Error && !(error instanceof InputError) ? { cause: error.stack } : {};
}
