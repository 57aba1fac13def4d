import { S3Client } from '@aws-sdk/client-s3';
import type { Store } from '@whylight/contract/store';

export interface S3Settings extends Store {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const createS3Client = ({
  endpoint,
  region,
  style,
  accessKeyId,
  secretAccessKey,
}: S3Settings): S3Client =>
  new S3Client({
    endpoint,
    region,
    forcePathStyle: style === 'path',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 3,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  });
