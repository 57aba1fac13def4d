export type StoreVerb = 'PUT' | 'GET' | 'HEAD' | 'DELETE' | 'POST';

/** What went wrong with one request to the object store. It holds no key, no signature and no query of a URL. */
export interface StoreFault {
  readonly verb: StoreVerb;
  readonly host: string;
  /** Null without an answer. */
  readonly status: number | null;
  /** The store's own code; without an answer that of the cause, such as ENOTFOUND. Null if there is none. */
  readonly code: string | null;
  readonly message: string;
  /** The region that the store expects, if it says so. */
  readonly region: string | null;
}

/** Codes for faults that this side finds itself. */
export const wrongBytes = 'WrongBytes';
export const wrongObject = 'ObjectNotFound';

interface Request {
  readonly verb: StoreVerb;
  readonly url: URL;
}

/** Reads the answer with which a store refused a request. */
export function refusedBy(
  request: Request,
  { status, headers }: { readonly status: number; readonly headers: { get(name: string): string | null } },
  text: string,
): StoreFault {
  return faultOf(request, {
    status,
    code: elementOf(text, 'Code'),
    message: elementOf(text, 'Message') ?? '',
    region: elementOf(text, 'Region') ?? headers.get('x-amz-bucket-region'),
  });
}

/** Makes the fault of what a store has said: what could be a key or a signature is left out. */
export function faultOf(
  { verb, url }: Request,
  said: Pick<StoreFault, 'code' | 'message' | 'region'> & { readonly status: number },
): StoreFault {
  const { host } = url;
  // Proxies of Cloudflare answer with such a status when they do not reach the host.
  const unreached = said.code === null ? proxyCauses[said.status] : undefined;
  if (unreached) return { verb, host, status: null, code: unreached, message: '', region: null };
  const [, expecting = null] = /expecting ["']([a-z0-9-]{1,40})["']/.exec(said.message) ?? [];
  return {
    verb,
    host,
    status: said.status,
    code: plain(said.code),
    message: withoutKeys(said.message),
    region: plain(said.region) ?? expecting,
  };
}

/** Reads the error with which a request ended that got no answer. */
export const unansweredBy = ({ verb, url }: Request, error: unknown): StoreFault => ({
  ...{ verb, host: url.host, status: null },
  code: causeOf(error),
  message: '',
  region: null,
});

/** One line for the log. */
export const nameFault = ({ verb, host, status, code }: StoreFault): string =>
  `${verb} ${host}: ${[status ?? 'no answer', code].filter((part) => part !== null).join(' ')}`;

/** The same as fields. */
export const faultFields = ({ verb, host, status, code }: StoreFault) => ({ verb, host, status, code });

const proxyCauses: Readonly<Record<number, string>> = {
  521: 'ECONNREFUSED',
  522: 'ETIMEDOUT',
  523: 'EHOSTUNREACH',
  524: 'ETIMEDOUT',
  525: 'TLS',
  526: 'TLS',
  530: 'ENOTFOUND',
};

/** The code of the system, or a word for what the runtime says of the cause. */
function causeOf(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, name } = cause as Error & { code?: unknown };
    if (typeof code === 'string' && /^(E[A-Z_]+|[A-Z_]*(CERT|TLS|SSL|SIGNATURE)[A-Z_]*)$/.test(code))
      return code;
    if (name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT') return 'ETIMEDOUT';
    if (/dns lookup failed/i.test(cause.message)) return 'ENOTFOUND';
    if (/connection refused/i.test(cause.message)) return 'ECONNREFUSED';
    if (/certificate|\b(tls|ssl)\b/i.test(cause.message)) return 'TLS';
    if (/connection (lost|reset)|disconnected|socket hang up/i.test(cause.message)) return 'ECONNRESET';
  }
  return null;
}

const entities = new Map(Object.entries({ '#34': '"', quot: '"', '#39': "'", apos: "'", amp: '&' }));

/** The text of an element that has no element inside. */
function elementOf(xml: string, name: string): string | null {
  const [, text] = new RegExp(`<${name}>([^<]{1,1000})</${name}>`).exec(xml) ?? [];
  return text?.replace(/&(#?\w+);/g, (entity, which: string) => entities.get(which) ?? entity) ?? null;
}

const plain = (text: string | null): string | null =>
  text !== null && /^[\w.-]{1,48}$/.test(text) ? text : null;

/** Messages of stores may quote keys and signatures: long words with a digit. */
const withoutKeys = (message: string): string =>
  message.replace(/[\w+/=-]{16,}/g, (word) => (/\d/.test(word) ? '…' : word)).slice(0, 200);
