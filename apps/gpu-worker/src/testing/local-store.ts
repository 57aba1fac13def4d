import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local-secret' };
const bucket = 'photos';

/** Starts a real S3 store on this machine: Miniflare's. */
export async function startLocalStore() {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      modules: true,
      script: 'export default { fetch: () => new Response() }',
      compatibilityDate: '2026-11-01',
      host: '127.0.0.1',
      r2Buckets: { BUCKET: { id: bucket, s3Credentials: credentials } },
    }),
  );
  const endpoint = new URL('/cdn-cgi/local/r2/s3', await miniflare.ready).href;
  const held = await miniflare.getR2Bucket('BUCKET');
  return {
    ...credentials,
    endpoint,
    bucket,
    head: (object: string) => held.head(object),
    list: async (prefix: string) => (await held.list({ prefix })).objects.map(({ key }) => key),
    stop: () => miniflare.dispose(),
  };
}
