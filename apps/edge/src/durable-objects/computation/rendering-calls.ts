import { artifactPrefix, type JobError, newNonce, type Style } from '@whylight/contract';
import {
  isBelow,
  type NotRendered,
  type Rendering,
  renderingJobOf,
  renderingPrefix,
} from '../../domain/rendering.ts';
import { lateWrites, type Run, type Submission } from '../../domain/run.ts';
import type { Services } from '../../services.ts';
import { findReady, toJobInput } from '../../use-cases/arrivals.ts';
import type { ArtifactDeletion } from './artifact-deletion.ts';
import type { Runs } from './runs.ts';
import type { StoredRenderings } from './stored-renderings.ts';

const misplaced: JobError = {
  code: 'internal',
  message: 'A worker reports pictures at another place than its job names.',
  retryable: true,
};

export const gone: JobError = {
  code: 'artifact_corrupt',
  message: 'The result of this explanation has been deleted.',
  retryable: false,
};

/** One rendering to ask a worker for. `pinned`: to be kept as long as the result. */
export interface Wanted {
  readonly run: Run;
  readonly key: string;
  readonly style: Style;
  readonly pinned: boolean;
}

/**
 * Asks workers for renderings, once for all who want the same one at a time. Each call writes under a prefix of its own, so
 * that a late worker overwrites nothing.
 */
export class RenderingCalls {
  readonly #services: () => Services;
  readonly #runs: Runs;
  readonly #deletion: ArtifactDeletion;
  readonly #stored: StoredRenderings;
  readonly #underWay = new Map<string, Promise<Rendering | NotRendered>>();

  constructor(services: () => Services, runs: Runs, deletion: ArtifactDeletion, stored: StoredRenderings) {
    this.#services = services;
    this.#runs = runs;
    this.#deletion = deletion;
    this.#stored = stored;
  }

  call(wanted: Wanted): Promise<Rendering | NotRendered> {
    const name = `${wanted.run.number}/${wanted.key}`;
    const known = this.#underWay.get(name);
    if (known) return known;
    const call = this.#callWithPhoto(wanted).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, call);
    return call;
  }

  /** If the run's photo has been deleted, another upload of the same bytes serves. */
  async #callWithPhoto(wanted: Wanted): Promise<Rendering | NotRendered> {
    const { tenant, question, input } = wanted.run.submission;
    const answer = await this.#callWorker(wanted, input);
    if (!('error' in answer) || !/^upload_(not_found|mismatch)$/.test(answer.error.code)) return answer;
    const other = await findReady(this.#services(), tenant, question.image);
    return other ? this.#callWorker(wanted, toJobInput(other)) : answer;
  }

  async #callWorker(
    { run, key, style, pinned }: Wanted,
    input: Submission['input'],
  ): Promise<Rendering | NotRendered> {
    const prefix = artifactPrefix(renderingPrefix(run, key), newNonce());
    await this.#stored.begin(run, prefix);
    const answer = await this.#services().worker.render(renderingJobOf(run, prefix, style, input));
    const isErased = (await this.#runs.find(run.number))?.erased ?? true;
    const rendering = { key, ...answer, renderedAt: Date.now(), pinned };
    const isKept = 'artifacts' in rendering && isBelow(rendering, prefix) && !isErased;
    if (isKept) await this.#stored.put(run, rendering);
    // A worker that has not answered may still be writing.
    else if ('artifacts' in rendering) await this.#deletion.schedule([prefix], Date.now());
    else if (rendering.begun) await this.#deletion.schedule([prefix], Date.now() + lateWrites);
    await this.#stored.end(run, prefix);
    if (isKept) return rendering;
    if (isErased) return { error: gone, begun: true };
    return 'error' in answer ? answer : { error: misplaced, begun: true };
  }
}
