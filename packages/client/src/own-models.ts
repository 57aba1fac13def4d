import {
  type Model,
  type ModelCompletion,
  type ModelRequest,
  modelListSchema,
  modelSchema,
  sha256Hex,
} from '@whylight/contract';
import { type Connection, call, given, listed, tried } from './http.ts';
import { ProblemError } from './problem-error.ts';
import { settled, wait } from './settled.ts';

/** What is said of a model beside its file. */
export type OwnModel = Omit<ModelRequest, 'sha256' | 'content_length'>;

interface PushOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes have been sent. */
  readonly onProgress?: ((sent: number, total: number) => void) | undefined;
}

type Upload = NonNullable<Model['upload']>;
type Part = ModelCompletion['parts'][number];

const root = '/v1/models';
const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;

/** Models that the tenant brings. */
export class OwnModels {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Brings a model: announces its file, sends it in parts by signed URLs and waits until it is examined. The same once
   * more is the same model, and is not sent again. Whether it is `ready` or `rejected`, and why, the model says.
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

  /** Announces a model. Where its file is awaited `upload` says where it goes. @throws ProblemError */
  create(request: ModelRequest, signal?: AbortSignal): Promise<Model> {
    return this.#call(root, { method: 'POST', body: JSON.stringify(request), ...given(signal) });
  }

  /** Says that the parts are there, and gives the model as it is once examined or after half a minute. */
  complete(id: string, completion: ModelCompletion, signal?: AbortSignal): Promise<Model> {
    const headers = { Prefer: `wait=${wait}` };
    const body = JSON.stringify(completion);
    return this.#call(`${pathOf(id)}/complete`, { method: 'POST', headers, body, ...given(signal) });
  }

  /** The model once it is `ready` or `rejected`. @throws ProblemError. @throws the signal's reason */
  examined(model: Model, signal?: AbortSignal): Promise<Model> {
    return settled(model, {
      isPending: ({ status }) => status === 'validating',
      look: (seconds) => this.get(model.id, { wait: seconds, signal }),
      signal,
    });
  }

  /** A model with its report; with `wait` (seconds, at most 60) once it is examined, or then. */
  get(
    id: string,
    { wait: seconds = 0, signal }: { wait?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<Model> {
    return this.#call(`${pathOf(id)}${seconds > 0 ? `?wait=${seconds}` : ''}`, given(signal));
  }

  /** All models that the tenant has brought, newest first, without their reports. */
  async *list(): AsyncGenerator<Model> {
    for await (const model of listed(this.#connection, root, modelListSchema.parse))
      if (model.own) yield model;
  }

  /** Deletes a model for good; what was explained with it stays. */
  async remove(id: string): Promise<void> {
    await call(this.#connection, pathOf(id), { method: 'DELETE' });
  }

  /** Has a worker load the model now, so that the next explanation need not wait for that. */
  warm(id: string): Promise<Model> {
    return this.#call(`${pathOf(id)}/warm`, { method: 'POST' });
  }

  /** PUTs the parts one after the other. @param renew signs the URLs anew; null when nothing is awaited any more */
  async #send(
    first: Upload,
    bytes: Uint8Array<ArrayBuffer>,
    { signal, onProgress }: PushOptions,
    renew: () => Promise<Upload | null>,
  ): Promise<Part[]> {
    let upload = first;
    const put = async (number: number): Promise<Part> => {
      const { url, headers, offset } = upload.parts.find(({ part_number }) => part_number === number)!;
      // fetch sets the length itself and refuses to be told.
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
        // A large file takes longer than its URLs are good for.
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
    return modelSchema.parse(await (await call(this.#connection, path, init, true)).json());
  }
}
