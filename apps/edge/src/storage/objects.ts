import { type Artifact, hex } from '@whylight/contract';
import { objectUrl, type StoreVerb, unansweredBy } from '@whylight/contract/store';
import { urlLifetime } from '../domain/signed-links.ts';
import type { Settings } from '../env.ts';
import { logFault, StoreRequests, unavailable } from './store-requests.ts';

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
  readonly requests: StoreRequests;

  constructor(settings: Settings) {
    this.requests = new StoreRequests(settings);
  }

  /** A URL for one PUT of one object with exactly these headers. */
  async signedPut(object: string, headers: Record<string, string>): Promise<string> {
    return this.requests.signUrl('PUT', object, { headers });
  }

  /** A URL for GETs of one artifact; the store is told to serve it as a download of its name and type. */
  async signedGet({ object, name, content_type }: Artifact): Promise<SignedUrl> {
    const query = {
      'response-content-disposition': dispositionOf(name),
      'response-content-type': content_type,
    };
    const seconds = Math.floor(Date.now() / 1000);
    const datetime = new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
    const signed_url = await this.requests.signUrl('GET', object, { query, datetime });
    return { signed_url, expires_at: new Date((seconds + urlLifetime) * 1000).toISOString() };
  }

  /** The bytes of one artifact, as the store sends them, and the headers of that download. @throws Refusal `storage_unavailable` */
  async open({
    object,
    name,
    content_type,
  }: Artifact): Promise<{ headers: Record<string, string>; body: ReadableStream }> {
    // The bytes may take longer than the store may take to begin.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), 10_000);
    const response = await this.requests.send('GET', object, { signal: late.signal }).finally(() => {
      clearTimeout(timer);
    });
    if (!response.body) throw unavailable();
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
    const asked = { headers: { 'x-amz-checksum-mode': 'ENABLED' }, accepts: [404] };
    const ask = () => this.requests.send('HEAD', object, asked);
    const { status, headers } = await ask().catch(ask);
    if (status === 404) return null;
    return {
      bytes: Number(headers.get('content-length')),
      contentType: headers.get('content-type') ?? '',
      sha256: headers.get('x-amz-checksum-sha256'),
    };
  }

  /**
   * SHA-256 of an object as hex, computed while it is read; null if there is no such object.
   *
   * @throws Refusal `storage_unavailable`.
   */
  async digest(object: string): Promise<string | null> {
    const signal = AbortSignal.timeout(10_000);
    const response = await this.requests.send('GET', object, { signal, accepts: [404] });
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    const digest = new crypto.DigestStream('SHA-256');
    await response.body?.pipeTo(digest).catch(brokenOff('GET', this.requests));
    return hex(await digest.digest);
  }

  /** Writes an object. @throws Refusal `storage_unavailable`. */
  async put(object: string, bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<void> {
    const response = await this.requests.send('PUT', object, {
      headers: { 'content-type': contentType },
      body: bytes,
    });
    await response.body?.cancel();
  }

  /** The bytes of a small object. @throws Refusal `storage_unavailable`. */
  async read(object: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.requests.send('GET', object, { signal: AbortSignal.timeout(10_000) });
    return new Uint8Array(await response.arrayBuffer().catch(brokenOff('GET', this.requests)));
  }

  /** A small object in base 64. @throws Refusal `storage_unavailable`. */
  async base64(object: string): Promise<string> {
    const bytes = await this.read(object);
    // In pieces that are whole groups of three bytes, and few enough for one call.
    const pieces = Array.from({ length: Math.ceil(bytes.length / 24_576) }, (_, i) =>
      btoa(String.fromCharCode(...bytes.subarray(i * 24_576, (i + 1) * 24_576))),
    );
    return pieces.join('');
  }

  /** Whether the object is gone now. */
  async delete(object: string): Promise<boolean> {
    const response = await this.requests.send('DELETE', object, { accepts: [404] }).catch(() => null);
    await response?.body?.cancel();
    return response !== null;
  }

  /**
   * Puts an empty object under the name, so that the store refuses a signed PUT that is still valid.
   *
   * @throws Refusal `storage_unavailable`.
   */
  async blockName(object: string): Promise<void> {
    const response = await this.requests.send('PUT', object, { body: new Uint8Array() });
    await response.body?.cancel();
  }

  /** Begins an upload in parts. @returns its id. @throws Refusal `storage_unavailable` */
  async beginParts(object: string): Promise<string> {
    const { text } = await this.#post(object, { query: { uploads: '' } });
    const [, id] = /<UploadId>([^<]+)<\/UploadId>/.exec(text) ?? [];
    if (id === undefined) throw unavailable();
    return id;
  }

  /** A URL for a PUT of one part of exactly so many bytes. */
  async signedPart(object: string, uploadId: string, part: number, bytes: number): Promise<string> {
    const query = { partNumber: String(part), uploadId };
    return this.requests.signUrl('PUT', object, { query, headers: { 'content-length': String(bytes) } });
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
    const asked = { query: { uploadId }, body, accepts: [400, 404] };
    const { status, text } = await this.#post(object, asked);
    if (status === 404) return 'gone';
    if (status === 400) return 'refused';
    // The store may begin with 200 before it knows how it ends.
    if (text.includes('<Error>')) throw unavailable();
    return 'joined';
  }

  /**
   * Aborts an upload in parts, and deletes the parts that have arrived. A refusal is for the log: the store deletes parts itself
   * some day, if it has a rule for that.
   *
   * @throws Refusal `storage_unavailable` when the store does not answer
   */
  async dropParts(object: string, uploadId: string): Promise<void> {
    const asked = { query: { uploadId }, accepts: [404], signal: AbortSignal.timeout(30_000) };
    const answer = await this.requests.try('DELETE', object, asked);
    if (answer instanceof Response) return answer.body?.cancel();
    logFault(answer);
    if (answer.status === null) throw unavailable();
  }

  /** @throws Refusal `storage_unavailable` */
  async #post(
    object: string,
    options: Parameters<StoreRequests['send']>[2],
  ): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(30_000);
    const response = await this.requests.send('POST', object, { ...options, signal });
    return { status: response.status, text: await response.text().catch(brokenOff('POST', this.requests)) };
  }

  /** The URL at which clients reach the bucket. */
  get publicUrl(): URL {
    return objectUrl(this.requests.publicStore, '');
  }

  /** `/bucket/object`, as a request to copy it names it. */
  pathOf(object: string): string {
    return `/${this.requests.store.bucket}/${object}`;
  }
}

/** The answer had begun when its bytes ended. */
const brokenOff =
  (verb: StoreVerb, { store }: StoreRequests) =>
  (error: unknown): never => {
    logFault(unansweredBy({ verb, url: objectUrl(store, '') }, error));
    throw unavailable();
  };

const dispositionOf = (name: string): string => `attachment; filename="${name}"`;
