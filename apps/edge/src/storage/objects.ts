import { type Artifact, hex } from '@whylight/contract';
import { AwsClient } from 'aws4fetch';
import { Refusal } from '../domain/refusal.ts';
import { urlLifetime } from '../domain/signed-links.ts';
import type { Settings } from '../env.ts';

/** A signed URL and the time until which the store accepts it. */
export interface SignedUrl {
  readonly signed_url: string;
  readonly expires_at: string;
}

export interface ObjectHead {
  readonly bytes: number;
  readonly contentType: string;
  /** Base 64, if the store keeps checksums. */
  readonly sha256: string | null;
}

/** The object store, by the S3 protocol: signs URLs for clients, and reads, writes and deletes objects. */
export class Objects {
  readonly #client: AwsClient;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#client = new AwsClient({
      accessKeyId: settings.S3_ACCESS_KEY_ID,
      secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
      service: 's3',
      region: settings.S3_REGION,
      retries: 0,
    });
  }

  /** A URL for one PUT of one object with exactly these headers. */
  async signedPut(object: string, headers: Record<string, string>): Promise<string> {
    const url = this.#url(object, this.#publicEndpoint);
    url.searchParams.set('X-Amz-Expires', String(urlLifetime));
    const { url: signed } = await this.#client.sign(new Request(url, { method: 'PUT', headers }), {
      aws: { signQuery: true, allHeaders: true },
    });
    return signed;
  }

  /** A URL for GETs of one artifact; the store is told to serve it as a download of its name and type. */
  async signedGet({ object, name, content_type }: Artifact): Promise<SignedUrl> {
    const url = this.#url(object, this.#publicEndpoint);
    url.searchParams.set('X-Amz-Expires', String(urlLifetime));
    url.searchParams.set('response-content-disposition', dispositionOf(name));
    url.searchParams.set('response-content-type', content_type);
    const seconds = Math.floor(Date.now() / 1000);
    const datetime = new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
    const { url: signed } = await this.#client.sign(url, { aws: { signQuery: true, datetime } });
    return { signed_url: signed, expires_at: new Date((seconds + urlLifetime) * 1000).toISOString() };
  }

  /** The bytes of one artifact, as the store sends them, and the headers of that download. @throws Refusal `storage_unavailable` */
  async open({
    object,
    name,
    content_type,
  }: Artifact): Promise<{ headers: Record<string, string>; body: ReadableStream }> {
    const url = this.#url(object, this.#settings.S3_ENDPOINT);
    // The bytes may take longer than the store may take to begin.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), 10_000);
    const response = await this.#client.fetch(url, { signal: late.signal }).catch(() => null);
    clearTimeout(timer);
    if (!response?.ok || !response.body) throw unavailable(response?.status);
    const length = response.headers.get('content-length');
    return {
      body: response.body,
      headers: {
        'Content-Type': content_type,
        'Content-Disposition': dispositionOf(name),
        ...(length === null ? {} : { 'Content-Length': length }),
      },
    };
  }

  /**
   * Size, type and checksum of an object; null if there is no such object.
   *
   * @throws Refusal `storage_unavailable` after a second try.
   */
  async head(object: string): Promise<ObjectHead | null> {
    const asked = { method: 'HEAD', headers: { 'x-amz-checksum-mode': 'ENABLED' } };
    const response = (await this.#send(object, asked)) ?? (await this.#send(object, asked));
    if (response?.status === 404) return null;
    if (!response?.ok) throw unavailable(response?.status);
    return {
      bytes: Number(response.headers.get('content-length')),
      contentType: response.headers.get('content-type') ?? '',
      sha256: response.headers.get('x-amz-checksum-sha256'),
    };
  }

  /**
   * SHA-256 of an object as hex, computed while it is read; null if there is no such object.
   *
   * @throws Refusal `storage_unavailable`.
   */
  async digest(object: string): Promise<string | null> {
    const url = this.#url(object, this.#settings.S3_ENDPOINT);
    try {
      const response = await this.#client.fetch(url, { signal: AbortSignal.timeout(10_000) });
      if (response.status === 404) return null;
      if (!response.ok || !response.body) throw unavailable();
      const digest = new crypto.DigestStream('SHA-256');
      await response.body.pipeTo(digest);
      return hex(await digest.digest);
    } catch {
      throw unavailable();
    }
  }

  /** Writes an object. @throws Refusal `storage_unavailable`. */
  async put(object: string, bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<void> {
    const headers = { 'content-type': contentType };
    const response = await this.#send(object, { method: 'PUT', headers, body: bytes });
    if (!response?.ok) throw unavailable(response?.status);
  }

  /** A small object in base 64. @throws Refusal `storage_unavailable`. */
  async base64(object: string): Promise<string> {
    const url = this.#url(object, this.#settings.S3_ENDPOINT);
    const response = await this.#client.fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
    if (!response?.ok) throw unavailable();
    const bytes = new Uint8Array(await response.arrayBuffer());
    // In pieces that are whole groups of three bytes, and few enough for one call.
    const pieces = Array.from({ length: Math.ceil(bytes.length / 24_576) }, (_, i) =>
      btoa(String.fromCharCode(...bytes.subarray(i * 24_576, (i + 1) * 24_576))),
    );
    return pieces.join('');
  }

  /** Whether the object is gone now. */
  async delete(object: string): Promise<boolean> {
    const response = await this.#send(object, { method: 'DELETE' });
    return response !== null && (response.ok || response.status === 404);
  }

  /**
   * Puts an empty object under the name, so that the store refuses a signed PUT that is still valid.
   *
   * @throws Refusal `storage_unavailable`.
   */
  async blockName(object: string): Promise<void> {
    const response = await this.#send(object, { method: 'PUT', body: new Uint8Array() });
    if (!response?.ok) throw unavailable();
  }

  /** Begins an upload in parts. @returns its id. @throws Refusal `storage_unavailable` */
  async beginParts(object: string): Promise<string> {
    const { status, text } = await this.#ask(object, { uploads: '' }, { method: 'POST' });
    const [, id] = /<UploadId>([^<]+)<\/UploadId>/.exec(text) ?? [];
    if (status !== 200 || id === undefined) throw unavailable();
    return id;
  }

  /** A URL for a PUT of one part of exactly so many bytes. */
  async signedPart(object: string, uploadId: string, part: number, bytes: number): Promise<string> {
    const url = this.#url(object, this.#publicEndpoint);
    url.searchParams.set('partNumber', String(part));
    url.searchParams.set('uploadId', uploadId);
    url.searchParams.set('X-Amz-Expires', String(urlLifetime));
    const headers = { 'content-length': String(bytes) };
    const { url: signed } = await this.#client.sign(new Request(url, { method: 'PUT', headers }), {
      aws: { signQuery: true, allHeaders: true },
    });
    return signed;
  }

  /**
   * Makes one object of the parts. `gone`: there is no such upload, or no longer; `refused`: the parts are not those
   * that the store has.
   *
   * @throws Refusal `storage_unavailable`
   */
  async joinParts(
    object: string,
    uploadId: string,
    parts: readonly { readonly part_number: number; readonly etag: string }[],
  ): Promise<'joined' | 'gone' | 'refused'> {
    const listed = parts.map(
      ({ part_number, etag }) =>
        `<Part><PartNumber>${part_number}</PartNumber><ETag>"${etag.replaceAll('"', '')}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
    const { status, text } = await this.#ask(object, { uploadId }, { method: 'POST', body });
    // The store may begin with 200 before it knows how it ends.
    if (status === 200 && !text.includes('<Error>')) return 'joined';
    if (status === 404) return 'gone';
    if (status === 400) return 'refused';
    throw unavailable();
  }

  /** Aborts an upload in parts, and deletes the parts that have arrived. */
  async dropParts(object: string, uploadId: string): Promise<void> {
    await this.#ask(object, { uploadId }, { method: 'DELETE' });
  }

  /** @throws Refusal `storage_unavailable` when the store does not answer. */
  async #ask(
    object: string,
    query: Record<string, string>,
    init: RequestInit,
  ): Promise<{ status: number; text: string }> {
    const url = this.#url(object, this.#settings.S3_ENDPOINT);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    try {
      const response = await this.#client.fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
      return { status: response.status, text: await response.text() };
    } catch {
      throw unavailable();
    }
  }

  async #send(object: string, init: RequestInit): Promise<Response | null> {
    try {
      const url = this.#url(object, this.#settings.S3_ENDPOINT);
      const response = await this.#client.fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
      await response.body?.cancel();
      return response.status >= 500 ? null : response;
    } catch {
      return null;
    }
  }

  /** The host at which clients reach the store, without its port. */
  get publicHost(): string {
    return new URL(this.#publicEndpoint).hostname;
  }

  /** `/bucket/object`, as a request to copy it names it. */
  pathOf(object: string): string {
    return `/${this.#settings.S3_BUCKET}/${object}`;
  }

  get #publicEndpoint(): string {
    return this.#settings.S3_PUBLIC_ENDPOINT ?? this.#settings.S3_ENDPOINT;
  }

  #url(object: string, endpoint: string): URL {
    return new URL(`${endpoint.replace(/\/$/, '')}/${this.#settings.S3_BUCKET}/${object}`);
  }
}

const dispositionOf = (name: string): string => `attachment; filename="${name}"`;

/** If the store refuses our signature (a wrong key, a wrong clock), the log says so: the client cannot help. */
function unavailable(status?: number): Refusal {
  if (status === 401 || status === 403)
    console.error(`The object store refuses the gateway (${status}): look at its credentials and its clock.`);
  return new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
}
