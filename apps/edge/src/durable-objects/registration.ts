import { DurableObject } from 'cloudflare:workers';
import type { ModelError, Validation } from '@whylight/contract';
import { type ModelRow, refusedBy, sourceOf } from '../domain/model.ts';
import type { RegistrationPort } from '../domain/ports.ts';
import { type Bindings, settings } from '../env.ts';
import { GpuWorker } from '../storage/gpu-worker.ts';
import { Models } from '../storage/models.ts';
import { Objects } from '../storage/objects.ts';
import { Signal } from './signal.ts';

interface Task {
  readonly tenant: string;
  readonly model: string;
  readonly requestId: string;
  /** `ready`: it can be explained, and is examined again by the numerics of today. */
  readonly phase: 'pending' | 'validating' | 'ready';
  /** Unix milliseconds: when the phase began. */
  readonly since: number;
  readonly tries: number;
}

/** Milliseconds in which a model must arrive; after that it was never announced. */
const arrival = 24 * 3_600_000;
/** Milliseconds in which some worker must have examined it. */
const examination = 30 * 60_000;
/** Longest pause between two tries, in milliseconds. */
const longestPause = 30_000;

/**
 * What becomes of one model that a tenant brings: swept when its file never comes, examined by a worker when it has.
 * The alarm asks the worker and asks again, so that neither's end loses a model on its way.
 */
export class Registration extends DurableObject<Bindings> implements RegistrationPort {
  readonly #changed = new Signal();

  /** The file is awaited. */
  announced(tenant: string, model: string, requestId: string): Promise<void> {
    return this.#begin({ tenant, model, requestId, phase: 'pending' }, Date.now() + arrival);
  }

  /** The file is there. Should this be cut short, the alarm goes on with it. */
  async arrived(tenant: string, model: string, requestId: string): Promise<void> {
    await this.#begin({ tenant, model, requestId, phase: 'validating' }, Date.now());
    await new Models(this.env.DB).move(model, 'pending', 'validating');
  }

  /** What is known of the model comes from another release: have it examined again, while it is used as it is. */
  async outdated(tenant: string, model: string): Promise<void> {
    if (await this.#task()) return;
    const requestId = `req_again_${model}`;
    await this.#begin({ tenant, model, requestId, phase: 'ready' }, Date.now());
  }

  /** Nothing is left to do. */
  async forget(): Promise<void> {
    await this.ctx.storage.deleteAll();
    await this.ctx.storage.deleteAlarm();
    this.#changed.notify();
  }

  /** Resolves once nothing is under way, at the latest after `seconds`. */
  async settled(seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const left = end - Date.now();
      if (left <= 0 || (await this.#task())?.phase !== 'validating') return;
      await this.#changed.wait(left);
    }
  }

  override async alarm(): Promise<void> {
    const task = await this.#task();
    if (!task) return;
    await this.#pursue(task).catch((error: unknown) => {
      console.error(`${task.requestId}: a model could not be seen to:`, error);
      return this.#again(task);
    });
  }

  async #pursue(task: Task): Promise<void> {
    const models = new Models(this.env.DB);
    const row = await models.find(task.tenant, task.model);
    const isDue = row?.status === task.phase || (row?.status === 'pending' && task.phase === 'validating');
    if (!row || !isDue) return this.#unlessNew(task);
    if (task.phase === 'pending') return this.#sweep(row, models, task);
    if (task.phase === 'validating') await models.move(task.model, 'pending', 'validating');
    const isLate = Date.now() > task.since + examination;
    const found = isLate
      ? unexamined
      : await new GpuWorker(settings(this.env)).validate(sourceOf(row), task.requestId);
    if (!found) return this.#again(task);
    await this.#conclude(row, models, found, task);
    return this.#unlessNew(task);
  }

  async #begin(task: Omit<Task, 'since' | 'tries'>, at: number): Promise<void> {
    await this.ctx.storage.put('task', { ...task, since: Date.now(), tries: 0 });
    await this.ctx.storage.setAlarm(at);
  }

  async #task(): Promise<Task | undefined> {
    return this.ctx.storage.get<Task>('task');
  }

  async #again(task: Task): Promise<void> {
    if (!(await this.#isSame(task))) return;
    await this.ctx.storage.put('task', { ...task, tries: task.tries + 1 });
    await this.ctx.storage.setAlarm(Date.now() + Math.min(1000 * 2 ** task.tries, longestPause));
  }

  async #conclude(
    { id, facts, report }: ModelRow,
    models: Models,
    found: Validation,
    { phase }: Task,
  ): Promise<void> {
    if (phase === 'ready') {
      if (found.outcome === 'ready') await models.refresh(id, found.facts, found.report);
      else if (found !== unexamined && facts) await models.refresh(id, refusedBy(found.error, facts), report);
    } else if (found.outcome === 'ready') await models.ready(id, found.facts, found.report);
    else await models.reject(id, found.error);
  }

  async #sweep({ tenant, id, object, upload_id }: ModelRow, models: Models, task: Task): Promise<void> {
    if (upload_id !== null) await new Objects(settings(this.env)).dropParts(object, upload_id);
    await models.delete(tenant, id);
    await this.#unlessNew(task);
  }

  /** Done, unless the model was announced anew while this was being done. */
  async #unlessNew(task: Task): Promise<void> {
    if (await this.#isSame(task)) await this.forget();
  }

  async #isSame({ since, phase }: Task): Promise<boolean> {
    const now = await this.#task();
    return now !== undefined && now.since === since && now.phase === phase;
  }
}

const unreachable: ModelError = {
  code: 'worker_unreachable',
  message: 'No worker examined the model. Announce it again to have it tried again.',
};
const unexamined: Validation = { outcome: 'rejected', error: unreachable };
