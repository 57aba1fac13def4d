import { describe, expect, test } from 'vitest';
import { objectUrl, resolveStore, type StoreSettings } from './address.ts';

const object = 't/acme/u/photo-1f';
const urlOf = (settings: StoreSettings): string => objectUrl(resolveStore(settings), object).href;

describe('L13: region and style follow from the host where the settings do not say them', () => {
  test.each<[host: string, region: string, style: string]>([
    ['s3.amazonaws.com', 'us-east-1', 'virtual'],
    ['s3.eu-central-1.amazonaws.com', 'eu-central-1', 'virtual'],
    ['s3-eu-west-1.amazonaws.com', 'eu-west-1', 'virtual'],
    ['s3.dualstack.ap-southeast-2.amazonaws.com', 'ap-southeast-2', 'virtual'],
    ['s3-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'virtual'],
    ['s3-fips.dualstack.us-east-2.amazonaws.com', 'us-east-2', 'virtual'],
    ['s3.cn-north-1.amazonaws.com.cn', 'cn-north-1', 'virtual'],
    ['s3.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1', 'virtual'],
    ['bucket.vpce-1a2b-5e6f.s3.eu-west-3.vpce.amazonaws.com', 'eu-west-3', 'virtual'],
    ['0123abcd.r2.cloudflarestorage.com', 'auto', 'path'],
    ['0123abcd.eu.r2.cloudflarestorage.com', 'auto', 'path'],
    ['s3.us-west-004.backblazeb2.com', 'us-west-004', 'path'],
    ['s3.eu-central-2.wasabisys.com', 'eu-central-2', 'path'],
    ['s3.wasabisys.com', 'us-east-1', 'path'],
    ['s3.fr-par.scw.cloud', 'fr-par', 'path'],
    ['s3.oss-cn-hangzhou.aliyuncs.com', 'oss-cn-hangzhou', 'virtual'],
    ['s3.storage.example.com', 'us-east-1', 'path'],
    ['minio:9000', 'us-east-1', 'path'],
    ['127.0.0.1:7070', 'us-east-1', 'path'],
    ['storage.googleapis.com', 'us-east-1', 'path'],
    // A host that only looks like one of AWS.
    ['s3.eu-central-1.amazonaws.com.example.org', 'eu-central-1', 'path'],
  ])('%s', (host, region, style) => {
    expect(resolveStore({ S3_ENDPOINT: `https://${host}`, S3_BUCKET: 'photos' })).toEqual({
      endpoint: `https://${host}`,
      bucket: 'photos',
      region,
      style,
    });
  });

  test('what the settings say counts', () => {
    const S3_ENDPOINT = 'https://s3.eu-central-1.amazonaws.com';
    const settings = { S3_ENDPOINT, S3_BUCKET: 'photos', S3_REGION: 'eu-west-1', S3_STYLE: 'path' } as const;
    expect(resolveStore(settings)).toMatchObject({ region: 'eu-west-1', style: 'path' });
  });
});

test.each<[StoreSettings, string]>([
  [{ S3_ENDPOINT: 'http://127.0.0.1:7070', S3_BUCKET: 'photos' }, `http://127.0.0.1:7070/photos/${object}`],
  [
    { S3_ENDPOINT: 'https://s3.example.com/', S3_BUCKET: 'photos' },
    `https://s3.example.com/photos/${object}`,
  ],
  [
    { S3_ENDPOINT: 'http://127.0.0.1:1/local/s3/', S3_BUCKET: 'b' },
    `http://127.0.0.1:1/local/s3/b/${object}`,
  ],
  [
    { S3_ENDPOINT: 'https://s3.example.com:9000/base', S3_BUCKET: 'photos', S3_STYLE: 'virtual' },
    `https://photos.s3.example.com:9000/base/${object}`,
  ],
  [
    { S3_ENDPOINT: 'https://s3.eu-west-1.amazonaws.com', S3_BUCKET: 'photos' },
    `https://photos.s3.eu-west-1.amazonaws.com/${object}`,
  ],
  [
    { S3_ENDPOINT: 'https://s3.eu-west-1.amazonaws.com', S3_BUCKET: 'my.photos' },
    `https://s3.eu-west-1.amazonaws.com/my.photos/${object}`,
  ],
  [
    { S3_ENDPOINT: 'https://photos.s3.eu-west-1.amazonaws.com', S3_BUCKET: 'photos' },
    `https://photos.s3.eu-west-1.amazonaws.com/${object}`,
  ],
])('L13: the URL of an object: %j', (settings, url) => {
  expect(urlOf(settings)).toBe(url);
});
