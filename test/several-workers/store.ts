import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

/** The bucket and its credentials, as gateway and workers get them. */
export const bucketSettings = {
  S3_REGION: 'auto',
  S3_BUCKET: 'photos',
  S3_ACCESS_KEY_ID: 'test',
  S3_SECRET_ACCESS_KEY: 'test-secret',
};

/** Starts an S3 store of its own, outside the gateway's runtime. @returns it, and the address of its S3 interface */
export async function startStore(): Promise<{ store: Miniflare; S3_ENDPOINT: string }> {
  const store = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      modules: true,
      script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
      compatibilityDate: '2026-11-01',
      r2Buckets: {
        PHOTOS: {
          id: bucketSettings.S3_BUCKET,
          s3Credentials: {
            accessKeyId: bucketSettings.S3_ACCESS_KEY_ID,
            secretAccessKey: bucketSettings.S3_SECRET_ACCESS_KEY,
          },
        },
      },
    }),
  );
  return { store, S3_ENDPOINT: new URL('/cdn-cgi/local/r2/s3', await store.ready).href };
}
