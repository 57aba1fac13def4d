import { successOf, WhylightClient } from '@whylight/client';
import { readNpy } from '@whylight/core';
import { attributionKindOf, conventions } from '@whylight/core/methods';
import type { Photo } from '../photo/photo.ts';
import type {
  Asked,
  Classes,
  Engine,
  ModelCard,
  ModelChoice,
  Result,
  ServiceFacts,
  Watch,
} from './engine.ts';
import { SentPhoto } from './sent-photo.ts';
import { suggestedMethods } from './suggested.ts';
import { asKeyError, untilReached } from './until-reached.ts';

type Explanation = ReturnType<typeof successOf>;
type ServiceModel = Awaited<ReturnType<WhylightClient['models']>>[number];

/** As many classes as the service tells. */
const classesTold = 100;
/** Seconds for which the service lets a question about a job wait, so that progress is seen. */
const wait = 2;
/** Methods that suit most networks; the service does not say which suit this one. */
const usual = ['grad-cam', 'layer-cam', 'integrated-gradients', 'occlusion'];

/** Numbers of models, by digest: below zero, so that they are never those of the tab. */
const numbers = new Map<string, number>();
const numberOf = (digest: string): number => {
  if (!numbers.has(digest)) numbers.set(digest, -1 - numbers.size);
  return numbers.get(digest)!;
};

/** Computes on a service, with a key of it. @throws KeyError if the service does not take the key */
export async function startServiceEngine(url: string, apiKey: string): Promise<Engine> {
  // One try: the page itself asks again, and says when the service cannot be reached.
  const client = new WhylightClient({ url, apiKey, tries: 1 });
  try {
    const [all, limits] = await Promise.all([client.models(), client.limits()]);
    const models = all.filter(({ status }) => status === 'ready' || status === 'updating');
    return new ServiceEngine(client, url, models, limits.compute_units.remaining);
  } catch (error) {
    throw asKeyError(error);
  }
}

class ServiceEngine implements Engine {
  readonly facts: ServiceFacts;
  readonly #client: WhylightClient;
  readonly #models: readonly ServiceModel[];
  readonly #photos: SentPhoto;

  constructor(client: WhylightClient, url: string, models: readonly ServiceModel[], unitsLeft: number) {
    this.#client = client;
    this.#photos = new SentPhoto((bytes, type) => client.upload(bytes, type));
    this.#models = models.toSorted((a, b) => Number(b.default) - Number(a.default));
    this.facts = { place: 'service', url, models: this.#models.map(({ name }) => name), unitsLeft };
  }

  async openModel(choice: ModelChoice, watch: Watch): Promise<ModelCard> {
    if (typeof choice === 'object' && 'files' in choice)
      throw new Error('The service explains models that it has. Upload this one by `whylight models push`.');
    const found =
      choice === 'default' ? this.#models[0] : this.#models.find(({ name }) => name === choice.name);
    if (!found) throw new Error('The service has no such model any more. Choose another one.');
    const listed = await untilReached(() => this.#client.methods(found.id), watch);
    const methods = listed
      .filter(isDrawable)
      .map(({ id, title, summary, paper, kind, requires, works, reason, cost, parameters }) => ({
        ...{ id, title, summary, paper, kind, reason, parameters },
        needs: requires.flatMap((need) => (isKnown(needs, need) ? [needs[need]] : [])),
        // Null: the service has not run it on this model, and takes it all the same.
        works: works !== false && found.methods.includes(id),
        runs: cost.default_units,
      }));
    return {
      ...{ id: numberOf(found.digest), name: found.name, sha256: found.digest, labels: null },
      classes: found.classes ?? 0,
      methods,
      suggested: suggestedMethods(usual, methods),
      ...{ preprocessing: null, notes: [] },
    };
  }

  async closeModel(): Promise<void> {}

  async classify(photo: Photo, model: ModelCard, watch: Watch): Promise<Classes> {
    const upload = await this.#photos.idOf(photo, watch);
    const top_k = Math.min(model.classes || classesTold, classesTold);
    const request = { input: { upload }, model: model.name, top_k };
    const { predictions, warnings } = await untilReached(
      () => this.#client.predict(request, watch.signal),
      watch,
    );
    return { all: predictions, warnings, run: 0 };
  }

  async explain({ photo, model, method, target }: Asked, watch: Watch): Promise<Result> {
    const { signal } = watch;
    const request = {
      ...{ input: { upload: await this.#photos.idOf(photo, watch) }, model: model.name, method },
      target: target === null ? ('predicted' as const) : { class_index: target },
    };
    // With one key for all tries the service begins one job, however often the connection is lost.
    const idempotencyKey = crypto.randomUUID();
    const created = await untilReached(() => this.#client.create(request, { signal, idempotencyKey }), watch);
    const explanation = successOf(await this.#ended(created.explanation, watch));
    const attribution = await untilReached(
      () => this.#client.download(explanation.attributions[0]!.artifacts.attribution, signal),
      watch,
    );
    return this.#resultOf(explanation, attribution, photo);
  }

  /** Asks until the job has ended. A job that nobody waits for any more is canceled. */
  async #ended(first: Explanation, watch: Watch): Promise<Explanation> {
    let now = first;
    try {
      while (now.status === 'queued' || now.status === 'processing') {
        if (now.progress) watch.onProgress(now.progress.completed / now.progress.total);
        const asked = { wait, signal: watch.signal };
        now = await untilReached(() => this.#client.explanation(first.id, asked), watch);
      }
    } catch (error) {
      if (watch.signal.aborted) this.#client.cancel(first.id).catch(() => undefined);
      throw error;
    }
    return now;
  }

  #resultOf(explanation: Explanation, npy: Uint8Array, photo: Photo): Result {
    const { id, method, convention, parameters, layers, warnings, metrics, cache, input, model } =
      explanation;
    const [first] = explanation.attributions as [Explanation['attributions'][number]];
    const { output_index, output_display_name, output_display_name_zh, probability, score } = first;
    const { data, shape } = readNpy(npy);
    const [across, down] = [photo.width / first.image.width, photo.height / first.image.height];
    const { x, y, width, height } = first.input_region;
    return {
      ...{ method, convention: readConvention(convention), parameters, layers, warnings },
      target: {
        ...{ class_index: output_index, label: output_display_name, label_zh: output_display_name_zh },
        ...{ probability, score },
      },
      ...{ attribution: data as Float32Array, shape, kind: attributionKindOf(method), layout: 'NCHW' },
      region: { x: x * across, y: y * down, width: width * across, height: height * down },
      convergenceDelta: first.convergence_delta,
      compute: metrics?.compute_ms ?? 0,
      explanation: {
        ...{ id, url: this.facts.url, model: model.name ?? '', sha256: input.sha256 },
        isCached: cache.status === 'hit',
        device: metrics?.device ?? null,
      },
    };
  }

  close(): void {}

  readonly compile = null;
  readonly judge = null;
}

// A newer service may answer with values that this page does not know.

const kinds = { map: true, pixels: true } as const;

const isKnown = <K extends string>(known: Readonly<Record<K, unknown>>, name: string): name is K =>
  Object.hasOwn(known, name);

const isDrawable = <T extends { readonly kind: string }>(
  method: T,
): method is T & { readonly kind: keyof typeof kinds } => isKnown(kinds, method.kind);

function readConvention(name: string): Result['convention'] {
  const known = conventions.find((each) => each === name);
  if (known) return known;
  throw new Error(
    `The service answers with the convention "${name}", which this page does not know. Load the page again.`,
  );
}

const needs = { gradients: 'gradient', target_layer: 'layer', attention: 'attention' } as const;
