import { z } from 'zod';

/** How a store's URLs name the bucket: in the path, or in the host. */
export const storeStyleSchema = z.enum(['path', 'virtual']);
export type StoreStyle = z.infer<typeof storeStyleSchema>;

/** The settings that say where the object store is; gateway and worker have the same. */
export interface StoreSettings {
  readonly S3_ENDPOINT: string;
  readonly S3_BUCKET: string;
  readonly S3_REGION?: string | undefined;
  readonly S3_STYLE?: StoreStyle | undefined;
}

/** Where the object store is, and how its requests are signed and addressed. */
export interface Store {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly style: StoreStyle;
}

/** Works out what the settings leave open: region and style follow from the endpoint's host. */
export function resolveStore({ S3_ENDPOINT, S3_BUCKET, S3_REGION, S3_STYLE }: StoreSettings): Store {
  const url = new URL(S3_ENDPOINT);
  // AWS shows a bucket with its name in the host. The style below puts the name there.
  if (isAws(url.hostname) && url.hostname.startsWith(`${S3_BUCKET}.s3`))
    url.hostname = url.hostname.slice(S3_BUCKET.length + 1);
  return {
    endpoint: (url.origin + url.pathname).replace(/\/+$/, ''),
    bucket: S3_BUCKET,
    region: S3_REGION ?? regionOf(url.hostname),
    style: S3_STYLE ?? styleFor(url.hostname, S3_BUCKET),
  };
}

/** The URL of an object, whose name needs no escapes. */
export function objectUrl({ endpoint, bucket, style }: Store, object: string): URL {
  const url = new URL(endpoint);
  if (style === 'virtual') url.host = `${bucket}.${url.host}`;
  const prefix = url.pathname.replace(/\/$/, '');
  url.pathname = style === 'virtual' ? `${prefix}/${object}` : `${prefix}/${bucket}/${object}`;
  return url;
}

const isAws = (host: string): boolean => /\.amazonaws\.(?:com|com\.cn|eu)$/.test(host);

/** AWS: s3.REGION, s3-REGION, s3-fips.REGION, s3.dualstack.REGION, and BUCKET.vpce-ID.s3.REGION.vpce. */
const awsRegion = /(?:^|\.)s3(?:-fips)?(?:\.dualstack)?[.-]([a-z]+(?:-[a-z]+)+-\d+)\.(?:vpce\.)?amazonaws\./;
/** Backblaze, Wasabi, Scaleway, Aliyun and others: s3.REGION. A host such as s3.storage.example.com names no region. */
const otherRegion = /^s3\.((?:oss-)?[a-z]{2}-[a-z]+(?:-[a-z0-9]+)*)\.[^.]+\./;

function regionOf(host: string): string {
  if (/\.r2\.cloudflarestorage\.com$/.test(host)) return 'auto';
  const [, region] = (isAws(host) ? awsRegion : otherRegion).exec(host) ?? [];
  // This is the region of s3.amazonaws.com, and the one that MinIO, versitygw and Ceph expect unless they are told another.
  return region ?? 'us-east-1';
}

function styleFor(host: string, bucket: string): StoreStyle {
  // A certificate for *.s3.amazonaws.com does not cover a name with one more dot.
  if (isAws(host)) return bucket.includes('.') ? 'path' : 'virtual';
  // The stores of Aliyun and Tencent refuse path style.
  return /\.(?:aliyuncs|myqcloud)\.com$/.test(host) ? 'virtual' : 'path';
}
