/**
 * Clients that send the key along when they are redirected to another origin: Wget, Python's urllib and Java's HttpClient to
 * every one, Go's net/http and node-fetch to another port of the same host (decision 55 has the measurement).
 */
const sendTheKeyOn = /^(Wget|Python-urllib|Java-http-client|Go-http-client|node-fetch)\b/;

/**
 * Whether a client may be redirected from the API's host to the store's without the store seeing the key. Many clients send it
 * to a subdomain, too.
 */
export const mayRedirect = (userAgent: string | undefined, api: string, store: string): boolean =>
  !sendTheKeyOn.test(userAgent ?? '') && !store.endsWith(`.${api}`);

/** Whether an Accept header (RFC 9110) asks for JSON rather than for the file itself, of this type. */
export function prefersJson(accept: string | undefined, fileType: string): boolean {
  const json = 'application/json';
  // result.json is JSON itself: of that file a client that names JSON asks for the URL, as of any other file.
  const ranges = rangesOf(accept ?? '*/*');
  const file = fileType === json ? ranges.filter(({ range }) => range !== json) : ranges;
  return qualityOf(ranges, json) > qualityOf(file, fileType);
}

interface Range {
  readonly range: string;
  readonly quality: number;
}

const rangesOf = (accept: string): Range[] =>
  accept.split(',').map((item) => {
    const [range = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const quality = q === undefined ? 1 : Number.parseFloat(q);
    return { range, quality: Number.isNaN(quality) ? 1 : quality };
  });

/** The quality that the most specific range gives a type; 0 if none includes it. */
function qualityOf(ranges: readonly Range[], type: string): number {
  for (const wanted of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const found = ranges.find(({ range }) => range === wanted);
    if (found) return found.quality;
  }
  return 0;
}
