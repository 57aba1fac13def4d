import { InputError, RequestChannel } from '@whylight/core';
import type { Rgba } from '@whylight/core/drawing';
import type {
  Answer,
  Call,
  Calls,
  Classification,
  ClassifyQuestion,
  CompileQuestion,
  ExplainQuestion,
  Explanation,
  Judgement,
  JudgeQuestion,
  ModelCheck,
  Progress,
} from './calls.ts';
import { transferables } from './calls.ts';
import { errorOf } from './failure.ts';
import type { ModelSource, OpenedModel } from './models/opened-model.ts';
import { bitmapOf, type ImageSource } from './pixels.ts';
import type { Backend, BackendOptions } from './worker/backend.ts';

export interface ExplainerOptions extends BackendOptions {
  /** Starts the worker, for pages that bundle `worker/worker.ts` in another way. */
  readonly worker?: (() => Worker) | undefined;
}

export interface CallOptions {
  /** When it is aborted, the call fails at once with its reason; the worker stops after the samples in progress. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the progress of the call, from 0 to 1. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Explains images in its own worker; the page's thread stays free. It answers calls one after another. */
export interface WebExplainer extends Disposable {
  /** The backend that computes here, and the reasons why no faster backend does. */
  readonly backend: Backend;
  /** @throws InputError for a source that is not a model, does not have the digest, or cannot be fetched */
  openModel(source: ModelSource, options?: CallOptions): Promise<OpenedModel>;
  /** Releases the memory of a model. */
  closeModel(model: OpenedModel): Promise<void>;
  /** @throws InputError */
  classify(
    question: ClassifyQuestion & { readonly model: OpenedModel; readonly image: ImageSource },
    options?: CallOptions,
  ): Promise<Classification>;
  /** @throws InputError for errors that the user can correct */
  explain(
    question: ExplainQuestion & { readonly model: OpenedModel; readonly image: ImageSource },
    options?: CallOptions,
  ): Promise<Explanation>;
  /**
   * Judges a map by deletion and insertion (Petsiuk et al. 2018), beside the same map in shuffled places. It runs the network sixty times.
   *
   * @throws InputError
   */
  judge(
    question: JudgeQuestion & { readonly model: OpenedModel; readonly image: ImageSource },
    options?: CallOptions,
  ): Promise<Judgement>;
  /** Lists methods, which of them work on the model and which suit it, as far as its file tells. It runs nothing. */
  checkModel(model: OpenedModel, options?: CallOptions): Promise<ModelCheck>;
  /** Returns the bytes of an ONNX file that explains: images and class indices in, attributions out. @throws InputError */
  compile(
    question: CompileQuestion & { readonly model: OpenedModel },
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the worker; pending calls fail. */
  close(): void;
}

const startWorker = () =>
  new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: 'whylight' });

/** Starts a worker that explains. @throws Error if neither WebGPU nor WebAssembly runs */
export async function startExplainer({
  worker: start = startWorker,
  ...backendOptions
}: ExplainerOptions = {}): Promise<WebExplainer> {
  const worker = start();
  const channel = new RequestChannel<Call, Answer, Progress>(
    (message) => worker.postMessage(message, transferables(message)),
    errorOf,
  );
  worker.onmessage = ({ data }) => channel.receive(data);
  worker.onerror = ({ message }) =>
    channel.close(new Error(`the worker of the explainer has failed: ${message || 'it did not load'}`));

  async function call<Name extends keyof Calls>(
    name: Name,
    request: Calls[Name]['request'],
    { signal, onProgress }: CallOptions = {},
  ): Promise<Calls[Name]['answer']> {
    signal?.throwIfAborted();
    const answer = channel.request({ name, ...request } as Call, { signal, onNotice: onProgress });
    return (await unlessAborted(answer, signal)) as Calls[Name]['answer'];
  }
  const close = () => {
    worker.terminate();
    channel.close(new Error('the explainer is closed'));
  };
  const asked = async <Q extends { readonly model: OpenedModel; readonly image: ImageSource }>({
    model,
    image,
    ...rest
  }: Q) => ({ ...rest, model: model.id, bitmap: await bitmapOf(image) });

  try {
    const backend = await call('start', backendOptions);
    return {
      backend,
      close,
      [Symbol.dispose]: close,
      openModel: (source, options) => call('open', { source: plain(source) }, options),
      closeModel: ({ id }) => call('release', { model: id }),
      classify: async (question, options) => call('classify', await asked(question), options),
      async explain(question, options) {
        const { overlay, heatmap, ...rest } = await call('explain', await asked(question), options);
        return { ...rest, overlay: imageData(overlay), heatmap: imageData(heatmap) };
      },
      judge: async (question, options) => call('judge', await asked(question), options),
      checkModel: ({ id }, options) => call('check', { model: id }, options),
      async compile({ model, ...question }, options) {
        return (await call('compile', { ...question, model: model.id }, options)).bytes;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

const imageData = (rgba: Rgba | null): ImageData | null =>
  rgba && new ImageData(rgba.data, rgba.width, rgba.height);

/** Makes the addresses of a source absolute for the worker, whose base for addresses is not the page's. */
function plain(source: ModelSource): ModelSource {
  if (!('url' in source)) return source;
  const absolute = (url: string | URL) => {
    try {
      return new URL(url, document.baseURI).href;
    } catch {
      throw new InputError(
        'invalid_parameter',
        `url: expected an address, got ${JSON.stringify(String(url))}`,
      );
    }
  };
  return { ...source, url: absolute(source.url), beside: source.beside?.map(absolute) };
}

async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answer;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // An error of a call that nobody waits for any more is ignored.
  answer.catch(() => undefined);
  return Promise.race([answer, promise]).finally(() => signal.removeEventListener('abort', abort));
}
