import {
  nameFault,
  objectUrl,
  refusedBy,
  resolveStore,
  type Store,
  type StoreFault,
  type StoreVerb,
  unansweredBy,
} from '@whylight/contract/store';
import { AwsClient } from 'aws4fetch';
import { Refusal } from '../domain/refusal.ts';
import { urlLifetime } from '../domain/signed-links.ts';
import type { Settings } from '../env.ts';

interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Default: five seconds for the whole answer. */
  readonly signal?: AbortSignal;
  /** Statuses that are answers too. */
  readonly accepts?: readonly number[];
}

type Signed = Pick<RequestOptions, 'query' | 'headers'> & { readonly datetime?: string };

/** Signs requests to the object store: URLs for clients, and requests that the gateway sends itself. */
export class StoreRequests {
  /** As the gateway reaches it. */
  readonly store: Store;
  /** As clients reach it. */
  readonly publicStore: Store;
  readonly #client: AwsClient;

  constructor(settings: Settings) {
    const { S3_ENDPOINT, S3_PUBLIC_ENDPOINT = S3_ENDPOINT } = settings;
    this.store = resolveStore(settings);
    const { region } = this.store;
    this.publicStore = resolveStore({ ...settings, S3_ENDPOINT: S3_PUBLIC_ENDPOINT, S3_REGION: region });
    this.#client = new AwsClient({
      accessKeyId: settings.S3_ACCESS_KEY_ID,
      secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
      service: 's3',
      region,
      retries: 0,
    });
  }

  /** A URL for one request of a client, with exactly these headers. */
  async signUrl(
    method: 'PUT' | 'GET',
    object: string,
    { query, headers, datetime }: Signed,
  ): Promise<string> {
    const url = withQuery(objectUrl(this.publicStore, object), {
      'X-Amz-Expires': String(urlLifetime),
      ...query,
    });
    const { url: signed } = await this.#client.sign(
      new Request(url, { method, ...(headers && { headers }) }),
      {
        aws: { signQuery: true, allHeaders: true, ...(datetime !== undefined && { datetime }) },
      },
    );
    return signed;
  }

  /** Sends a request of the gateway itself. @returns the answer if it is a success or a status of `accepts`, else the fault */
  async try(verb: StoreVerb, object: string, options: RequestOptions = {}): Promise<Response | StoreFault> {
    const { query = {}, headers, body, signal = AbortSignal.timeout(5_000), accepts = [] } = options;
    const url = withQuery(objectUrl(this.store, object), query);
    const init = { method: verb, ...(headers && { headers }), ...(body !== undefined && { body }), signal };
    return answerOf({ verb, url }, () => this.#client.fetch(url, init), accepts);
  }

  /** The same. @throws Refusal `storage_unavailable`; the log says which request failed, and how. */
  async send(verb: StoreVerb, object: string, options: RequestOptions = {}): Promise<Response> {
    const answer = await this.try(verb, object, options);
    if (answer instanceof Response) return answer;
    logFault(answer);
    throw unavailable();
  }
}

/** The answer if it is a success or a status of `accepts`, else what it says is wrong. */
export async function answerOf(
  request: { readonly verb: StoreVerb; readonly url: URL },
  fetched: () => Promise<Response>,
  accepts: readonly number[] = [],
): Promise<Response | StoreFault> {
  try {
    const response = await fetched();
    if (response.ok || accepts.includes(response.status)) return response;
    return refusedBy(request, response, await response.text());
  } catch (error) {
    return unansweredBy(request, error);
  }
}

/** Writes one line, without the URL. An answer to HEAD has no body, and so no code: then the line says where to look. */
export function logFault(fault: StoreFault): void {
  const isUnexplained = fault.code === null && (fault.status === 401 || fault.status === 403);
  const advice = isUnexplained ? '. Look at the key, its rights and the clock: /readyz tries them' : '';
  console.error(`object store: ${nameFault(fault)}${advice}`);
}

/** The refusal that clients get: the cause is for the log. */
export const unavailable = (): Refusal =>
  new Refusal('storage_unavailable', 'The object store does not answer. Try again.');

function withQuery(url: URL, query: Readonly<Record<string, string>>): URL {
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}
