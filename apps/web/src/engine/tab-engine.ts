import { type ModelSource, type OpenedModel, startExplainer, type WebExplainer } from '@whylight/web';
import type { Photo } from '../photo/photo.ts';
import { defaultModel } from './default-model.ts';
import type { Asked, Classes, Engine, EngineFacts, ModelCard, ModelChoice, Result, Watch } from './engine.ts';
import { orderOf } from './order-of.ts';
import { suggestedMethods } from './suggested.ts';

/** Starts the engine in this tab: nothing leaves the machine. @throws Error where the browser cannot run it */
export async function startTabEngine(): Promise<Engine> {
  return new TabEngine(await startExplainer());
}

function sourceOf(choice: ModelChoice): ModelSource {
  if (choice === 'default') return defaultModel;
  if ('files' in choice) return { files: [...choice.files], keep: true };
  throw new Error(`This tab has no model ${choice.name}: only the service has it.`);
}

class TabEngine implements Engine {
  readonly facts: EngineFacts;
  readonly #explainer: WebExplainer;
  readonly #opened = new Map<number, OpenedModel>();

  constructor(explainer: WebExplainer) {
    this.#explainer = explainer;
    const { name, gpu, threads, reasons } = explainer.backend;
    this.facts = {
      place: 'tab',
      device: name === 'wasm' ? 'WebAssembly' : `WebGPU (${gpu})`,
      threads,
      reasons,
    };
  }

  async openModel(choice: ModelChoice, watch: Watch): Promise<ModelCard> {
    const source = sourceOf(choice);
    const opened = await this.#explainer.openModel(source, watch);
    const check = await this.#explainer.checkModel(opened, watch);
    this.#opened.set(opened.id, opened);
    const { id, name, sha256, classes, labels, preprocessing, warnings } = opened;
    return {
      ...{ id, name, sha256, classes, labels, preprocessing },
      methods: check.methods,
      suggested: suggestedMethods(check.recommended, check.methods),
      notes: [...warnings.map(({ message }) => message), ...check.notes],
    };
  }

  async closeModel(model: ModelCard): Promise<void> {
    await this.#explainer.closeModel(this.#known(model));
    this.#opened.delete(model.id);
  }

  async classify(photo: Photo, model: ModelCard, watch: Watch): Promise<Classes> {
    const question = { model: this.#known(model), image: photo.bitmap, count: model.classes };
    const { predictions, warnings, milliseconds } = await this.#explainer.classify(question, watch);
    return { all: predictions, warnings, run: milliseconds.compute };
  }

  async explain({ photo, model, method, target }: Asked, watch: Watch): Promise<Result> {
    const { milliseconds, ...answer } = await this.#explainer.explain(
      {
        ...{ model: this.#known(model), image: photo.bitmap, method, pictures: false },
        target: target === null ? 'predicted' : { class_index: target },
      },
      watch,
    );
    return { ...answer, compute: milliseconds.compute };
  }

  readonly judge = (photo: Photo, model: ModelCard, result: Result, watch: Watch) =>
    this.#explainer.judge(
      {
        ...{ model: this.#known(model), image: photo.bitmap, target: result.target.class_index },
        ...orderOf(result),
      },
      watch,
    );

  readonly compile = (model: ModelCard, result: Result, watch: Watch) => {
    const { method, convention, parameters, layers } = result;
    return this.#explainer.compile(
      { model: this.#known(model), method, convention, parameters, layers },
      watch,
    );
  };

  close(): void {
    this.#explainer.close();
  }

  #known({ id, name }: ModelCard): OpenedModel {
    const opened = this.#opened.get(id);
    if (opened) return opened;
    throw new Error(`The model ${name} is closed. Open it again.`);
  }
}
