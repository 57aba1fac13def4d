import { DurableObject } from 'cloudflare:workers';
import type { ModelError, Validation } from '@whylight/contract';
import { factsOfRefused, type ModelRow, sourceOf } from '../domain/model.ts';
import type { ModelValidationPort } from '../domain/ports.ts';
import { type Bindings, settings } from '../env.ts';
import { services } from '../services.ts';
import { Backlog } from '../storage/backlog.ts';
import { Models } from '../storage/models.ts';
import { Objects } from '../storage/objects.ts';
import { Signal } from './signal.ts';

interface Task {
  readonly tenant: string;
  readonly model: string;
  readonly requestId: string;
  /** `ready`: requests may use the model while a worker examines it again with the present numerics. */
  readonly phase: 'pending' | 'validating' | 'ready';
  /** Unix milliseconds: when the phase began. */
  readonly since: number;
  readonly tries: number;
  /** Unix milliseconds: when a worker last said that other models go first. Absent: no worker has. */
  readonly queued?: number;
}

/** Milliseconds within which a model's file must arrive; after that the model is deleted. */
const arrival = 24 * 3_600_000;
/** Milliseconds within which a worker must have examined the model, or have it in its queue. */
const examination = 30 * 60_000;
/** Longest pause between two tries, in milliseconds. */
const longestPause = 30_000;

/**
 * The validation of one model of a tenant. It deletes the model if its file never arrives; else it has a worker examine
 * the file. The alarm asks a worker until one answers, so that no model is lost when a worker or this object ends.
 */
export class ModelValidation extends DurableObject<Bindings> implements ModelValidationPort {
  readonly #changed = new Signal();

  /** Waits for the model's file. */
  awaitFile(tenant: string, model: string, requestId: string): Promise<void> {
    return this.#start({ tenant, model, requestId, phase: 'pending' }, Date.now() + arrival);
  }

  /** Begins to validate the file, which has arrived. If this call is cut short, the alarm continues. */
  async begin(tenant: string, model: string, requestId: string): Promise<void> {
    await this.#start({ tenant, model, requestId, phase: 'validating' }, Date.now());
    await new Models(this.env.DB).move(model, 'pending', 'validating');
  }

  /** Has a worker examine a model again that another release validated; requests may use it meanwhile. */
  async repeat(tenant: string, model: string): Promise<void> {
    if (await this.#task()) return;
    const requestId = `req_again_${model}`;
    await this.#start({ tenant, model, requestId, phase: 'ready' }, Date.now());
  }

  /** Ends the validation: nothing is left to do. */
  async forget(): Promise<void> {
    const task = await this.#task();
    if (task) await this.#backlog.leave('validation', task.model);
    await this.ctx.storage.deleteAll();
    await this.ctx.storage.deleteAlarm();
    this.#changed.notify();
  }

  /** Resolves when no validation is under way, at the latest after `seconds`. */
  async waitUntilDone(seconds: number): Promise<void> {
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
    await this.#advance(task).catch((error: unknown) => {
      console.error(`${task.requestId}: the validation of a model failed; the alarm tries it again:`, error);
      return this.#retry(task);
    });
  }

  async #advance(task: Task): Promise<void> {
    const models = new Models(this.env.DB);
    const row = await models.find(task.tenant, task.model);
    const isDue = row?.status === task.phase || (row?.status === 'pending' && task.phase === 'validating');
    if (!row || !isDue) return this.#finish(task);
    if (task.phase === 'pending') return this.#deleteModel(row, models, task);
    if (task.phase === 'validating') await models.move(task.model, 'pending', 'validating');
    const isLate = Date.now() > (task.queued ?? task.since) + examination;
    const validation = isLate
      ? unexamined
      : await services(this.env).worker.validate(sourceOf(row), task.requestId);
    if (validation.outcome === 'busy') return this.#queue(task, validation.seconds);
    if (validation.outcome === 'unreachable') return this.#retry(task);
    await this.#record(row, models, validation, task);
    return this.#finish(task);
  }

  async #start(task: Omit<Task, 'since' | 'tries'>, at: number): Promise<void> {
    await this.ctx.storage.put('task', { ...task, since: Date.now(), tries: 0 });
    await this.ctx.storage.setAlarm(at);
    if (task.phase !== 'pending') await this.#backlog.enter('validation', task.model);
  }

  get #backlog(): Backlog {
    return new Backlog(this.env.DB);
  }

  async #task(): Promise<Task | undefined> {
    return this.ctx.storage.get<Task>('task');
  }

  /** Goes on waiting in a worker's queue: the pauses do not grow, so that the model is there when its turn comes. */
  async #queue(task: Task, seconds: number): Promise<void> {
    if (!(await this.#isSame(task))) return;
    await this.ctx.storage.put('task', { ...task, tries: 0, queued: Date.now() });
    if (task.phase !== 'pending') await this.#backlog.enter('validation', task.model);
    await this.ctx.storage.setAlarm(Date.now() + Math.min(seconds * 1000, longestPause));
  }

  async #retry(task: Task): Promise<void> {
    if (!(await this.#isSame(task))) return;
    await this.ctx.storage.put('task', { ...task, tries: task.tries + 1 });
    if (task.phase !== 'pending') await this.#backlog.enter('validation', task.model);
    await this.ctx.storage.setAlarm(Date.now() + Math.min(1000 * 2 ** task.tries, longestPause));
  }

  async #record(
    { id, facts, report }: ModelRow,
    models: Models,
    validation: Validation,
    { phase }: Task,
  ): Promise<void> {
    if (phase === 'ready') {
      if (validation.outcome === 'ready') await models.refresh(id, validation.facts, validation.report);
      else if (validation !== unexamined && facts)
        await models.refresh(id, factsOfRefused(validation.error, facts), report);
    } else if (validation.outcome === 'ready')
      await models.markReady(id, validation.facts, validation.report);
    else await models.reject(id, validation.error);
  }

  async #deleteModel({ tenant, id, object, upload_id }: ModelRow, models: Models, task: Task): Promise<void> {
    if (upload_id !== null) await new Objects(settings(this.env)).dropParts(object, upload_id);
    await models.delete(tenant, id);
    await this.#finish(task);
  }

  /** Forgets the task, unless a newer one has replaced it. */
  async #finish(task: Task): Promise<void> {
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
