/** Where a service is, and a key that was handed over with the page's address. */
export interface ServiceAddress {
  readonly url: string;
  readonly key: string | null;
}

/**
 * Reads the address of the page's service. The gateway that serves the page writes its address into the page. If you put the page
 * onto another host, you may write one there. Null: the page has no service.
 *
 * The fragment of the page's own address may hold a key, which browsers send to no server. This removes the key from the address,
 * and uses it only if the page comes from this machine.
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
