import { describe, expect, test } from 'vitest';
import { resolveStore } from './address.ts';
import { adviseOn } from './advice.ts';
import { nameFault, refusedBy, type StoreFault, type StoreVerb, unansweredBy, wrongBytes } from './fault.ts';

const path = resolveStore({ S3_ENDPOINT: 'https://s3.example.com', S3_BUCKET: 'photos' });
const virtual = { ...path, style: 'virtual' as const };
const url = new URL('https://s3.example.com/photos/t/a?X-Amz-Credential=id&X-Amz-Signature=0123456789abcdef');

const xml = (code: string, message = '', more = '') =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
const refused = (verb: StoreVerb, status: number, text: string, headers = new Headers()): StoreFault =>
  refusedBy({ verb, url }, { status, headers }, text);
const unanswered = (error: unknown): StoreFault => unansweredBy({ verb: 'GET', url }, error);
const systemError = (code: string) =>
  Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('x'), { code }) });

describe('L13: what a store says becomes a sentence with what to set next', () => {
  const quoted = 'the region &#34;us-east-1&#34; is wrong; expecting &#34;eu-west-1&#34;';
  test.each<[StoreFault, RegExp]>([
    [
      refused('PUT', 404, xml('NoSuchBucket')),
      /s3\.example\.com does not know the bucket "photos"\. Make the bucket, or correct S3_BUCKET\. \(PUT s3\.example\.com: 404 NoSuchBucket\)$/,
    ],
    [refused('PUT', 403, xml('InvalidAccessKeyId')), /Set S3_ACCESS_KEY_ID to a key of this store/],
    [
      refused('PUT', 401, xml('Unauthorized', 'Unauthorized')),
      /Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY to a key of this store/,
    ],
    [
      refused('PUT', 403, xml('SignatureDoesNotMatch')),
      /Set S3_SECRET_ACCESS_KEY to the secret of S3_ACCESS_KEY_ID/,
    ],
    [
      refused('GET', 400, xml('AuthorizationHeaderMalformed', '', '<Region>eu-west-1</Region>')),
      /expects the region "eu-west-1", and "us-east-1" was used\. Set S3_REGION=eu-west-1\./,
    ],
    [refused('GET', 400, xml('AuthorizationQueryParametersError', quoted)), /Set S3_REGION=eu-west-1\./],
    [
      refused('GET', 301, xml('PermanentRedirect'), new Headers({ 'x-amz-bucket-region': 'eu-west-1' })),
      /Set S3_REGION=eu-west-1\./,
    ],
    [
      refused('GET', 301, xml('PermanentRedirect')),
      /does not accept the region "us-east-1"\. Set S3_REGION to the region of the bucket/,
    ],
    // It names the region that was used: the fault is another one.
    [
      refused('GET', 400, xml('AuthorizationHeaderMalformed', 'no key', '<Region>us-east-1</Region>')),
      /refuses the request\. Look at its log\. It says: no key/,
    ],
    [refused('GET', 403, xml('RequestTimeTooSkewed')), /Set the time of both by NTP/],
    [refused('GET', 403, xml('AccessDenied', 'Request has expired')), /Set the time of both by NTP/],
    [refused('GET', 403, xml('AccessDenied', 'Request is not yet valid')), /Set the time of both by NTP/],
    [
      refused('PUT', 403, xml('AccessDenied')),
      /refuses PUT to this key\. Give the key the right s3:PutObject, for the bucket "photos"/,
    ],
    [refused('GET', 403, xml('AccessDenied')), /the right s3:GetObject,/],
    [refused('DELETE', 403, xml('AccessDenied')), /the right s3:DeleteObject,/],
    [{ ...refused('HEAD', 403, ''), code: 'AccessDenied' }, /the right s3:GetObject and s3:ListBucket/],
    [refused('PUT', 403, xml('SecondLevelDomainForbidden')), /Set S3_STYLE=virtual/],
    [refused('GET', 200, xml(wrongBytes)), /other bytes than were written/],
    [
      refused('PUT', 405, '<html>MinIO Console</html>'),
      /does not answer as an S3 store does\. Set S3_ENDPOINT to the address of its S3 interface/,
    ],
    [refused('PUT', 503, xml('SlowDown')), /has a fault or too much to do/],
    [refused('PUT', 500, 'oops'), /has a fault or too much to do.*\(PUT s3\.example\.com: 500\)$/],
    [refused('PUT', 507, xml('XMinioStorageFull', 'The disk is full.')), /It says: The disk is full\./],
    // A name that every object inherits is a code like any other.
    [refused('PUT', 400, xml('constructor')), /refuses the request.*400 constructor/],
    [
      unanswered(systemError('ENOTFOUND')),
      /its name cannot be resolved\. Correct S3_ENDPOINT\. \(GET s3\.example\.com: no answer ENOTFOUND\)$/,
    ],
    [
      unanswered(systemError('ECONNREFUSED')),
      /nothing listens there\. Start the store, or correct host and port/,
    ],
    [unanswered(new DOMException('', 'TimeoutError')), /it cannot be reached in time.*no answer ETIMEDOUT/],
    [
      unanswered(systemError('DEPTH_ZERO_SELF_SIGNED_CERT')),
      /no secure connection comes about\. Look at its certificate/,
    ],
    [unanswered(systemError('ERR_SSL_WRONG_VERSION_NUMBER')), /needs http or https/],
    [
      unanswered(new TypeError('Network connection lost.')),
      /nothing listens there, or the connection breaks off\..*no answer ECONNRESET/,
    ],
    [
      unanswered(new Error('internal error; reference = a0b1')),
      /no connection comes about\. Look whether .* \(GET s3\.example\.com: no answer\)$/,
    ],
    [refused('GET', 530, 'error code: 1016'), /its name cannot be resolved/],
    [refused('GET', 522, ''), /it cannot be reached in time/],
  ])('%j', (fault, sentence) => {
    expect(adviseOn(fault, path)).toMatch(sentence);
  });

  test.each<[StoreFault]>([
    [refused('PUT', 404, xml('NoSuchBucket'))],
    [refused('PUT', 400, xml('InvalidBucketName'))],
    [unanswered(systemError('ENOTFOUND'))],
    [unanswered(new Error('internal error; reference = a0b1'))],
    [unanswered(systemError('ERR_TLS_CERT_ALTNAME_INVALID'))],
  ])('under virtual style %j may be a matter of style, under path style not', (fault) => {
    expect(adviseOn(fault, virtual)).toContain('set S3_STYLE=path');
    expect(adviseOn(fault, path)).not.toContain('S3_STYLE');
  });
});

test('L13: neither a sentence nor a line of the log holds a key, a signature or the query of a URL', () => {
  const keys = ['minio0123456789example', 'f542b556d4fa2a266e02136f58f0ff8691c30f4e06bd2cef54e648d7ade4594f'];
  const quoted = `<AWSAccessKeyId>${keys[0]}</AWSAccessKeyId><SignatureProvided>${keys[1]}</SignatureProvided>`;
  const codes = ['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'AccessDenied', 'Unheard', keys[1]!];
  for (const code of codes) {
    const fault = refused('PUT', 403, xml(code, `Key ${keys.join(' and ')} are no good`, quoted));
    const said = [adviseOn(fault, path), nameFault(fault)].join('\n');
    for (const secret of [...keys, 'X-Amz', '?']) expect(said).not.toContain(secret);
  }
});
