import { isPublicAddress } from './public-address.ts';
import { Refusal } from './refusal.ts';

/** Host names that mean this machine or this network wherever they are resolved. */
const local = /(^|\.)(localhost|local|internal|lan|home|corp|intranet|home\.arpa|test|invalid|onion)$/;

/**
 * A URL that the gateway may call: https on port 443 of a public host, without credentials. The URL standard's parser
 * has brought every notation of an IPv4 address (decimal, octal, hexadecimal, short) into dotted form. With
 * `allowLoopback` (development only) also http and any port, of this machine alone.
 *
 * @throws Refusal `invalid_parameter`
 */
export function webhookUrl(text: string, allowLoopback: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url) throw refuse('Expected an absolute URL.');
  if (url.username !== '' || url.password !== '') throw refuse('Credentials do not belong into a URL.');
  const host = url.hostname.replace(/\.$/, '');
  if (allowLoopback && isLoopback(host) && /^https?:$/.test(url.protocol)) return url;
  if (url.protocol !== 'https:') throw refuse('Expected https.');
  if (url.port !== '') throw refuse('Expected port 443.');
  const literal = host.startsWith('[') ? host.slice(1, -1) : /^[\d.]+$/.test(host) ? host : null;
  const isPublic = literal === null ? host.includes('.') && !local.test(host) : isPublicAddress(literal);
  if (!isPublic) throw refuse('Expected a host on the public internet.');
  return url;
}

/** Whether only a look-up can tell where `url` leads. */
export const isName = ({ hostname }: URL): boolean =>
  !hostname.startsWith('[') && !/^[\d.]+$/.test(hostname) && !isLoopback(hostname);

const isLoopback = (host: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(host);

const refuse = (message: string): Refusal =>
  new Refusal('invalid_parameter', `url: ${message}`, [{ pointer: '/url', code: 'forbidden_url', message }]);
