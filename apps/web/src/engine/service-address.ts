/** Where a service is, and a key that was handed over with the page's address. */
export interface ServiceAddress {
  readonly url: string;
  readonly key: string | null;
}

/**
 * Reads where the page's service is: the gateway that serves the page writes it into the page, and so may who puts the page onto
 * another host. Null: there is none. A key in the fragment, which no browser sends to a server, is taken on this machine only,
 * and is removed from the address.
 */
export function serviceAddress(): ServiceAddress | null {
  const said = document.querySelector<HTMLMetaElement>('meta[name="whylight-service"]')?.content ?? '';
  if (said === '') return null;
  const { hash, hostname, pathname, search, href } = location;
  const key = new URLSearchParams(hash.slice(1)).get('key');
  if (key !== null) history.replaceState(null, '', pathname + search);
  const isThisMachine = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return { url: new URL(said, href).origin, key: isThisMachine ? key : null };
}
