import {
  artifactNames,
  explanationResultSchema,
  type ModelSource,
  resultSchema,
  type Validation,
} from '@whylight/contract';
import {
  type Classification,
  DeviceError,
  FairQueue,
  KeyedSlots,
  LeaseCache,
  type PhotoExplanation,
  type PhotoRequest,
  type Watch,
} from '@whylight/host';
import { z } from 'zod';
import { JobFailure } from '../job-failure.ts';
import { tenantOf } from '../storage/tenant-of.ts';
import { checkModelExists, readModelBytes } from './model-bytes.ts';
import { type ExaminationSettings, ModelExaminations } from './model-examinations.ts';
import { ModelProcess, ProcessLostError } from './model-process.ts';

export interface TenantModelSettings extends ExaminationSettings {
  /** Processes at a time, and bytes of memory that those that are kept may take in all. */
  readonly capacity: number;
  readonly budget: number;
  /** Milliseconds after which a process that nobody uses ends. */
  readonly idle: number;
  /** Called for every model that is loaded. */
  readonly onLoad: () => void;
}

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
  readonly #examinations: ModelExaminations;
  readonly #idle = new Map<string, NodeJS.Timeout>();
  /** By tenant, the model that is being loaded ahead of its jobs. */
  readonly #warming = new Map<string, { readonly id: string; readonly done: Promise<void> }>();

  constructor(settings: TenantModelSettings) {
    const { capacity, budget } = settings;
    this.#settings = settings;
    this.#examinations = new ModelExaminations(settings);
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
    await checkModelExists(source, this.#settings.storage, watch.signal);
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
    await checkModelExists(source, this.#settings.storage, signal);
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
    await checkModelExists(source, this.#settings.storage, signal);
    await this.#with(source, signal, (held) => held.warm());
  }

  /** Examines a model when its tenant's turn has come, as `ModelExaminations` says. */
  validate(source: ModelSource, gone: AbortSignal): Promise<Validation | null> {
    return this.#examinations.validate(source, gone);
  }

  async close(): Promise<void> {
    for (const timer of this.#idle.values()) clearTimeout(timer);
    await this.#processes.close();
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
    const { storage, patience, process } = this.#settings;
    const late = AbortSignal.timeout(patience);
    try {
      return await ModelProcess.start(
        { ...source, bytes: await readModelBytes(source, storage, late) },
        process,
        late,
      );
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
}

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
