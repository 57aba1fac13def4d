import {
  type ArtifactLink,
  type ArtifactName,
  type AuditEvent,
  auditEventListSchema,
  currentForm,
  type Explanation,
  type ExplanationRequest,
  explanationListSchema,
  explanationSchema,
  type Key,
  keyListSchema,
  type LimitsView,
  limitsSchema,
  type MethodList,
  type ModelList,
  methodListSchema,
  modelListSchema,
  type NewKey,
  newKeySchema,
  type PredictionRequest,
  type Predictions,
  predictionsSchema,
  type Rendering,
  type RenderingRequest,
  renderingSchema,
  type Scope,
  type Upload,
  type Usage,
  usageListSchema,
} from '@whylight/contract';
import { fetchArtifact } from './artifact.ts';
import { Batches } from './batches.ts';
import { ExplanationError } from './explanation-error.ts';
import { type Connection, call, given, listed } from './http.ts';
import { OwnModels } from './own-models.ts';
import { pollUntilFinal, wait } from './poll-until-final.ts';
import { sendUpload } from './upload.ts';
import { WebhookEndpoints } from './webhook-endpoints.ts';

export interface Answer {
  readonly explanation: Explanation;
  /** The header Cache-Status of the response: `whylight; hit` if the service computed nothing. */
  readonly cacheStatus: string;
}

export interface ExplainOptions {
  readonly signal?: AbortSignal | undefined;
  /** Seconds after which the service cancels the explanation and the call ends. */
  readonly timeout?: number | undefined;
  /** Your own key, which makes the request idempotent across processes. Default: a random key for the tries of this call. */
  readonly idempotencyKey?: string | undefined;
  /** Compute the explanation again even if the service has it in its cache. */
  readonly fresh?: boolean | undefined;
  readonly onProgress?: ((explanation: Explanation) => void) | undefined;
}

/** A client of Whylight's HTTP API. Needs nothing but `fetch` and WebCrypto: Node, browsers, workers. */
export class WhylightClient {
  readonly batches: Batches;
  /** The models that the tenant has uploaded. `models` lists them together with those of the service. */
  readonly ownModels: OwnModels;
  readonly webhookEndpoints: WebhookEndpoints;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.batches = new Batches(connection);
    this.ownModels = new OwnModels(connection);
    this.webhookEndpoints = new WebhookEndpoints(connection);
  }

  /**
   * Uploads a photo by signed URL. It does not send bytes that the tenant has uploaded before.
   *
   * @throws ProblemError for what the service or the object store declines
   */
  upload(bytes: Uint8Array<ArrayBuffer>, contentType: string, signal?: AbortSignal): Promise<Upload> {
    return sendUpload(this.#connection, bytes, contentType, signal);
  }

  /** Requests an explanation, or returns the one that was requested with the same key. @throws ProblemError */
  async create(
    request: ExplanationRequest,
    { signal, timeout, idempotencyKey, fresh }: ExplainOptions = {},
    seconds = 0,
  ): Promise<Answer> {
    const response = await this.#call(
      '/v1/explanations',
      {
        method: 'POST',
        body: JSON.stringify(request),
        headers: {
          'Idempotency-Key': idempotencyKey ?? crypto.randomUUID(),
          ...(seconds > 0 ? { Prefer: `wait=${seconds}` } : {}),
          ...(timeout === undefined ? {} : { 'Cancel-After': `${Math.max(1, Math.ceil(timeout))}s` }),
          ...(fresh ? { 'Cache-Control': 'no-cache' } : {}),
        },
        ...given(signal),
      },
      true,
    );
    const explanation = explanationSchema.parse(currentForm(await response.json()));
    return { explanation, cacheStatus: response.headers.get('Cache-Status') ?? '' };
  }

  /**
   * Requests an explanation and waits until it has ended: by long polling, or if the connection is cut off, by a request every
   * two seconds. The status says how it ended; `successOf` throws unless there is a result.
   *
   * @throws ProblemError. @throws the signal's reason, or a TimeoutError after `timeout`
   */
  async explain(request: ExplanationRequest, options: ExplainOptions = {}): Promise<Answer> {
    const late = options.timeout === undefined ? [] : [AbortSignal.timeout(options.timeout * 1000)];
    const signal = AbortSignal.any([...late, ...(options.signal ? [options.signal] : [])]);
    const first = await this.create(request, { ...options, signal }, wait);
    return { ...first, explanation: await this.ended(first.explanation, { ...options, signal }) };
  }

  /** Waits until the explanation has ended, and returns it. @throws ProblemError. @throws the signal's reason */
  ended(
    explanation: Explanation,
    options: Pick<ExplainOptions, 'signal' | 'onProgress'> = {},
  ): Promise<Explanation> {
    return pollUntilFinal(explanation, {
      ...options,
      isPending: ({ status }) => status === 'queued' || status === 'processing',
      poll: (seconds) => this.explanation(explanation.id, { wait: seconds, signal: options.signal }),
    });
  }

  /** Gets an explanation. With `wait` the service answers when the explanation has ended, or after so many seconds (at most 60). */
  async explanation(
    id: string,
    { wait = 0, signal }: { wait?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<Explanation> {
    const path = `/v1/explanations/${encodeURIComponent(id)}${wait > 0 ? `?wait=${wait}` : ''}`;
    return explanationSchema.parse(currentForm(await (await this.#call(path, given(signal))).json()));
  }

  /** Lists all explanations, newest first. */
  explanations(): AsyncGenerator<Explanation> {
    return listed(this.#connection, '/v1/explanations', (page) =>
      explanationListSchema.parse(currentForm(page)),
    );
  }

  /** Cancels an explanation. One that has ended stays as it is. */
  async cancel(id: string): Promise<Explanation> {
    const path = `/v1/explanations/${encodeURIComponent(id)}/cancel`;
    return explanationSchema.parse(
      currentForm(await (await this.#call(path, { method: 'POST' }, true)).json()),
    );
  }

  /** Deletes an explanation, and its result if no other explanation uses it. */
  async remove(id: string): Promise<void> {
    await this.#call(`/v1/explanations/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** Renders an explanation in another style. `download` fetches the pictures. @throws ProblemError */
  async render(id: string, request: RenderingRequest = {}, signal?: AbortSignal): Promise<Rendering> {
    const path = `/v1/explanations/${encodeURIComponent(id)}/render`;
    const init = { method: 'POST', body: JSON.stringify(request), ...given(signal) };
    return renderingSchema.parse(currentForm(await (await this.#call(path, init, true)).json()));
  }

  /** Fetches the bytes of one artifact. @throws ProblemError */
  artifact(id: string, name: ArtifactName, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const path = `/v1/explanations/${encodeURIComponent(id)}/artifacts/${name}`;
    return fetchArtifact(this.#connection, { url: path }, signal);
  }

  /** Fetches the bytes behind a link of an explanation or a rendering. @throws ProblemError */
  download(
    link: Pick<ArtifactLink, 'url' | 'signed_url'>,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return fetchArtifact(this.#connection, link, signal);
  }

  /** Returns the most likely classes of a photo. Waits until they are computed. @throws ProblemError */
  async predict(request: PredictionRequest, signal?: AbortSignal): Promise<Predictions> {
    const init = { method: 'POST', body: JSON.stringify(request), ...given(signal) };
    return predictionsSchema.parse(
      currentForm(await (await this.#call('/v1/predictions', init, true)).json()),
    );
  }

  /** Lists the models of the service and the newest ones of the tenant. */
  async models(): Promise<ModelList['data']> {
    return modelListSchema.parse(await (await this.#call('/v1/models')).json()).data;
  }

  /** Lists all methods. With a model it says for each method whether it works on the model, or why not. */
  async methods(model?: string): Promise<MethodList['data']> {
    const query = model ? `?model=${encodeURIComponent(model)}` : '';
    return methodListSchema.parse(await (await this.#call(`/v1/methods${query}`)).json()).data;
  }

  /** Lists what the tenant has used on each day, newest first. */
  async usage(): Promise<Usage[]> {
    return usageListSchema.parse(await (await this.#call('/v1/usage')).json()).data;
  }

  async limits(): Promise<LimitsView> {
    return limitsSchema.parse(await (await this.#call('/v1/limits')).json());
  }

  /** Lists all keys, newest first, without their secrets. */
  keys(): AsyncGenerator<Key> {
    return listed(this.#connection, '/v1/keys', keyListSchema.parse);
  }

  /** Creates a key. This answer alone contains its secret. The client does not retry if the key may exist already. */
  async createKey(wish: { name?: string; scopes?: Scope[]; expires_at?: string } = {}): Promise<NewKey> {
    const init = { method: 'POST', body: JSON.stringify(wish) };
    return newKeySchema.parse(await (await this.#call('/v1/keys', init)).json());
  }

  /** Replaces a key with a new one. The old key stays valid for `grace` more seconds. */
  async rotateKey(id: string, grace = 0): Promise<NewKey> {
    const init = { method: 'POST', body: JSON.stringify({ grace_seconds: grace }) };
    const path = `/v1/keys/${encodeURIComponent(id)}/rotate`;
    return newKeySchema.parse(await (await this.#call(path, init)).json());
  }

  async revokeKey(id: string): Promise<void> {
    await this.#call(`/v1/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** Lists who changed what, newest first. */
  auditEvents(): AsyncGenerator<AuditEvent> {
    return listed(this.#connection, '/v1/audit_events', auditEventListSchema.parse);
  }

  #call(path: string, init?: RequestInit, repeatable?: boolean): Promise<Response> {
    return call(this.#connection, path, init, repeatable);
  }
}

/** Returns the explanation if it has a result. @throws ExplanationError */
export function successOf(explanation: Explanation): Explanation {
  if (explanation.status === 'succeeded') return explanation;
  throw new ExplanationError(explanation);
}
