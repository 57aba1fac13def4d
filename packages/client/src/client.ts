import {
  type ArtifactName,
  type Explanation,
  type ExplanationRequest,
  explanationSchema,
  type MethodList,
  type ModelList,
  methodListSchema,
  modelListSchema,
  sha256Hex,
  type Upload,
  uploadSchema,
} from '@whylight/contract';
import { type Connection, call } from './http.ts';
import { ProblemError } from './problem-error.ts';

export interface Answer {
  readonly explanation: Explanation;
  /** The response's Cache-Status: `whylight; hit` when nothing had to be computed. */
  readonly cacheStatus: string;
}

/** Longest that one request waits at the gateway, in seconds. */
const wait = 30;

/** A client of Whylight's HTTP API. Needs nothing but `fetch` and WebCrypto: Node, browsers, workers. */
export class WhylightClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Uploads a photo by signed URL; bytes that the tenant has uploaded before are not sent again.
   *
   * @throws ProblemError for what the service or the object store declines
   */
  async upload(bytes: Uint8Array<ArrayBuffer>, contentType: string, signal?: AbortSignal): Promise<Upload> {
    const body = JSON.stringify({
      content_type: contentType,
      content_length: bytes.length,
      sha256: await sha256Hex(bytes),
    });
    const response = await call(this.#connection, '/v1/uploads', { method: 'POST', body, ...given(signal) });
    const upload = uploadSchema.parse(await response.json());
    if (!upload.upload) return upload;
    const { method, url, headers } = upload.upload;
    // fetch sets the length itself and refuses to be told.
    const { 'content-length': _, ...sent } = headers;
    const put = await (this.#connection.fetch ?? fetch)(url, {
      method,
      headers: sent,
      body: bytes,
      ...given(signal),
    });
    if (!put.ok) throw await ProblemError.of(put);
    return upload;
  }

  /** Asks for an explanation and waits until it is there, by waiting requests. @throws ProblemError */
  async explain(request: ExplanationRequest, signal?: AbortSignal): Promise<Answer> {
    const response = await call(this.#connection, '/v1/explanations', {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { Prefer: `wait=${wait}` },
      ...given(signal),
    });
    const cacheStatus = response.headers.get('Cache-Status') ?? '';
    let explanation = explanationSchema.parse(await response.json());
    while (explanation.status === 'queued' || explanation.status === 'processing')
      explanation = await this.explanation(explanation.id, { wait, signal });
    return { explanation, cacheStatus };
  }

  /** An explanation's state; with `wait` (seconds, at most 60) once it changes to a final one, or then. */
  async explanation(
    id: string,
    options: { wait?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<Explanation> {
    const query = options.wait ? `?wait=${options.wait}` : '';
    const path = `/v1/explanations/${encodeURIComponent(id)}${query}`;
    return explanationSchema.parse(await (await call(this.#connection, path, given(options.signal))).json());
  }

  /** One artifact's bytes. @throws ProblemError */
  async artifact(id: string, name: ArtifactName, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const path = `/v1/explanations/${encodeURIComponent(id)}/artifacts/${name}`;
    // The signed URL carries its own authorisation; the API key must not travel there.
    const redirect = await this.#redirect(path, signal);
    const response = await (this.#connection.fetch ?? fetch)(redirect, given(signal));
    if (!response.ok) throw await ProblemError.of(response);
    return new Uint8Array(await response.arrayBuffer());
  }

  async models(): Promise<ModelList['data']> {
    return modelListSchema.parse(await (await call(this.#connection, '/v1/models')).json()).data;
  }

  async methods(model?: string): Promise<MethodList['data']> {
    const query = model ? `?model=${encodeURIComponent(model)}` : '';
    return methodListSchema.parse(await (await call(this.#connection, `/v1/methods${query}`)).json()).data;
  }

  async #redirect(path: string, signal: AbortSignal | undefined): Promise<string> {
    const { url, apiKey, fetch: send = fetch } = this.#connection;
    const response = await send(new URL(path, url), {
      headers: { Authorization: `Bearer ${apiKey}` },
      redirect: 'manual',
      ...given(signal),
    });
    const location = response.headers.get('Location');
    if (response.status !== 302 || !location) throw await ProblemError.of(response);
    return location;
  }
}

const given = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal ? { signal } : {});
