// `node node.mjs LIBRARY URL KEY`: fetches the URL with the key, follows redirects, writes the body to stdout.
const [library, url, key] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${key}` };

/** Each as its documentation shows it, with its own default Accept. */
const libraries = {
  fetch: async () => (await fetch(url, { headers })).arrayBuffer(),
  undici: async () => (await (await import('undici')).fetch(url, { headers })).arrayBuffer(),
  axios: async () =>
    (await (await import('axios')).default.get(url, { headers, responseType: 'arraybuffer' })).data,
  got: async () => await (await import('got')).default(url, { headers, retry: { limit: 0 } }).buffer(),
  'node-fetch': async () => (await (await import('node-fetch')).default(url, { headers })).arrayBuffer(),
  superagent: async () =>
    (
      await (
        await import('superagent')
      ).default
        .get(url)
        .set(headers)
        .buffer(true)
        .responseType('arraybuffer')
    ).body,
  ky: async () => (await import('ky')).default.get(url, { headers }).arrayBuffer(),
};
process.stdout.write(Buffer.from(await libraries[library]()));
