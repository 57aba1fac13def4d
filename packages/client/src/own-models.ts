import {
  type Model,
  type ModelCompletion,
  type ModelRequest,
  modelListSchema,
  modelSchema,
  sha256Hex,
} from '@whylight/contract';
import { type Connection, call, given, listed, tried } from './http.ts';
import { pollUntilFinal, wait } from './poll-until-final.ts';
import { ProblemError } from './problem-error.ts';
import { readAnswer } from './read-answer.ts';

/** Options of a model, beside its file. */
export type OwnModel = Omit<ModelRequest, 'sha256' | 'content_length'>;

interface PushOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes sent so far. */
  readonly onProgress?: ((sent: number, total: number) => void) | undefined;
}

type Upload = NonNullable<Model['upload']>;
type Part = ModelCompletion['parts'][number];

const root = '/v1/models';
const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;

/** The models that the tenant has uploaded. */
export class OwnModels {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Uploads a model: announces its file, sends it in parts by signed URLs, and waits until the service has validated it. The
   * same model is not sent twice. The status of the returned model is `ready` or `rejected`, with the reason.
   *
   * @throws ProblemError for what the service or the object store declines. @throws the signal's reason
   */
  async push(
    bytes: Uint8Array<ArrayBuffer>,
    about: OwnModel,
    { signal, onProgress }: PushOptions = {},
  ): Promise<Model> {
    const request = { ...about, sha256: await sha256Hex(bytes), content_length: bytes.length };
    const model = await this.create(request, signal);
    if (!model.upload) return this.examined(model, signal);
    const parts = await this.#send(model.upload, bytes, { signal, onProgress }, async () => {
      return (await this.create(request, signal)).upload;
    });
    return this.examined(await this.complete(model.id, { parts }, signal), signal);
  }

  /** Announces a model. If the service needs its file, `upload` has the URLs for it. @throws ProblemError */
  create(request: ModelRequest, signal?: AbortSignal): Promise<Model> {
    return this.#call(root, { method: 'POST', body: JSON.stringify(request), ...given(signal) });
  }

  /** Completes the upload. Returns the model when the service has validated it, or after half a minute. */
  complete(id: string, completion: ModelCompletion, signal?: AbortSignal): Promise<Model> {
    const headers = { Prefer: `wait=${wait}` };
    const body = JSON.stringify(completion);
    return this.#call(`${pathOf(id)}/complete`, { method: 'POST', headers, body, ...given(signal) });
  }

  /** Waits until the model is `ready` or `rejected`, and returns it. @throws ProblemError. @throws the signal's reason */
  examined(model: Model, signal?: AbortSignal): Promise<Model> {
    return pollUntilFinal(model, {
      isPending: ({ status }) => status === 'validating',
      poll: (seconds) => this.get(model.id, { wait: seconds, signal }),
      signal,
    });
  }

  /** Gets a model with its report. With `wait` the service answers when it has validated the model, or after so many seconds (at most 60). */
  get(
    id: string,
    { wait: seconds = 0, signal }: { wait?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<Model> {
    return this.#call(`${pathOf(id)}${seconds > 0 ? `?wait=${seconds}` : ''}`, given(signal));
  }

  /** Lists all models of the tenant, newest first, without their reports. */
  async *list(): AsyncGenerator<Model> {
    for await (const model of listed(this.#connection, root, modelListSchema.safeParse))
      if (model.own) yield model;
  }

  /** Deletes a model for good. Its explanations stay. */
  async remove(id: string): Promise<void> {
    await call(this.#connection, pathOf(id), { method: 'DELETE' });
  }

  /** Makes a worker load the model now, so that the next explanation does not wait for it. */
  warm(id: string): Promise<Model> {
    return this.#call(`${pathOf(id)}/warm`, { method: 'POST' });
  }

  /** PUTs the parts one after the other. @param renew gets new signed URLs, or null if the service needs no more parts */
  async #send(
    first: Upload,
    bytes: Uint8Array<ArrayBuffer>,
    { signal, onProgress }: PushOptions,
    renew: () => Promise<Upload | null>,
  ): Promise<Part[]> {
    let upload = first;
    const put = async (number: number): Promise<Part> => {
      const { url, headers, offset } = upload.parts.find(({ part_number }) => part_number === number)!;
      // fetch sets the length itself and refuses this header.
      const { 'content-length': length, ...bound } = headers;
      const body = bytes.subarray(offset, offset + Number(length));
      const init = { method: 'PUT', headers: bound, body, ...given(signal) };
      const response = await tried(this.#connection, new URL(url), init, true);
      onProgress?.(offset + body.length, bytes.length);
      return { part_number: number, etag: response.headers.get('ETag') ?? '' };
    };
    const parts: Part[] = [];
    for (const { part_number } of first.parts) {
      const part = await put(part_number).catch(async (error: unknown) => {
        // Sending a large file takes longer than its URLs stay valid.
        const renewed = error instanceof ProblemError && error.status === 403 ? await renew() : null;
        if (!renewed) throw error;
        upload = renewed;
        return put(part_number);
      });
      parts.push(part);
    }
    return parts;
  }

  async #call(path: string, init: RequestInit): Promise<Model> {
    return readAnswer(await call(this.#connection, path, init, true), modelSchema.safeParse, init.signal);
  }
}
