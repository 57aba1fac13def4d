import type { Store } from './address.ts';
import { nameFault, type StoreFault, wrongBytes, wrongObject } from './fault.ts';

/** The store as it was used: the advice depends on its style and region. */
type UsedStore = Pick<Store, 'bucket' | 'region' | 'style'>;

type Advice = (fault: StoreFault, store: UsedStore) => string;

/** Says what is wrong with the store, and what to set next, in sentences for the operator. */
export function adviseOn(fault: StoreFault, store: UsedStore): string {
  const { status, code } = fault;
  const advice = status === null ? noAnswer : (advices.get(code) ?? otherwise);
  return `${advice(fault, store)} (${nameFault(fault)})`;
}

const setPath = (bucket: string): string =>
  `If the store does not take the bucket in the host, as in ${bucket}.HOST, set S3_STYLE=path.`;

const wrongRegion: Advice = (fault, store) => {
  const { region: expected, host } = fault;
  if (expected === store.region) return otherwise(fault, store);
  return expected === null
    ? `The object store ${host} does not accept the region "${store.region}". Set S3_REGION to the region of the bucket.`
    : `The object store ${host} expects the region "${expected}", and "${store.region}" was used. Set S3_REGION=${expected}.`;
};

const noBucket: Advice = ({ host }, { bucket, style }) =>
  [
    `The object store ${host} does not know the bucket "${bucket}". Make the bucket, or correct S3_BUCKET.`,
    ...(style === 'virtual' ? [setPath(bucket)] : []),
  ].join(' ');

const pathForbidden: Advice = ({ host }) =>
  `The object store ${host} takes the bucket in the host only. Set S3_STYLE=virtual.`;

const wrongClock: Advice = ({ host }) =>
  `The clock of this machine differs from that of the object store ${host}. Set the time of both by NTP.`;

const wrongKey: Advice = ({ host }) =>
  `The object store ${host} does not know the access key. Set S3_ACCESS_KEY_ID to a key of this store.`;

const wrongKeys: Advice = ({ host }) =>
  `The object store ${host} does not accept the key. Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY to a key of this store.`;

const wrongSecret: Advice = ({ host }) =>
  `The object store ${host} does not accept the signature. Set S3_SECRET_ACCESS_KEY to the secret of S3_ACCESS_KEY_ID. If it is right, look whether a proxy before the store changes the host or the path.`;

const rights = { PUT: 's3:PutObject', POST: 's3:PutObject', GET: 's3:GetObject', DELETE: 's3:DeleteObject' };

const noRight: Advice = (fault, store) => {
  const { verb, host, message } = fault;
  // A signed URL whose time is over, or not yet there, minutes after it was made.
  if (/expired|not (yet )?valid/i.test(message)) return wrongClock(fault, store);
  const right =
    verb === 'HEAD'
      ? 's3:GetObject and s3:ListBucket: without the second it refuses to say that an object is not there'
      : rights[verb];
  return `The object store ${host} refuses ${verb} to this key. Give the key the right ${right}, for the bucket "${store.bucket}".`;
};

const otherBytes: Advice = ({ host }) =>
  `The object store ${host} gave back other bytes than were written. Look whether a cache or a proxy before the store changes what it sends.`;

const otherStore: Advice = ({ host }) =>
  `The object store ${host} does not have the object that was just written. If S3_PUBLIC_ENDPOINT is set, both endpoints must lead to the same bucket of the same store.`;

const otherwise: Advice = ({ host, status, code, message }) => {
  if (code === null && status! < 500)
    return `${host} does not answer as an S3 store does. Set S3_ENDPOINT to the address of its S3 interface, not of its console.`;
  const said = message === '' ? '' : ` It says: ${message}`;
  return `The object store ${host} ${status! >= 500 ? 'has a fault or too much to do' : 'refuses the request'}. Look at its log.${said}`;
};

const advices = new Map<string | null, Advice>(
  Object.entries({
    NoSuchBucket: noBucket,
    InvalidBucketName: noBucket,
    AuthorizationHeaderMalformed: wrongRegion,
    AuthorizationQueryParametersError: wrongRegion,
    PermanentRedirect: wrongRegion,
    TemporaryRedirect: wrongRegion,
    IllegalLocationConstraintException: wrongRegion,
    SecondLevelDomainForbidden: pathForbidden,
    PathStyleDomainForbidden: pathForbidden,
    InvalidAccessKeyId: wrongKey,
    Unauthorized: wrongKeys,
    SignatureDoesNotMatch: wrongSecret,
    RequestTimeTooSkewed: wrongClock,
    RequestExpired: wrongClock,
    AccessDenied: noRight,
    Forbidden: noRight,
    [wrongBytes]: otherBytes,
    [wrongObject]: otherStore,
  }),
);

const notResolved = ['its name cannot be resolved', 'Correct S3_ENDPOINT.'] as const;
const notReached = [
  'it cannot be reached in time',
  'Look at the network and its policies between this machine and the store.',
] as const;
const notSecure = [
  'no secure connection comes about',
  'Look at its certificate, and whether S3_ENDPOINT needs http or https.',
] as const;

/** Why there is no answer, and what to do. */
const causes = new Map<string | null, readonly [cause: string, advice: string]>(
  Object.entries({
    ENOTFOUND: notResolved,
    EAI_AGAIN: notResolved,
    ECONNREFUSED: ['nothing listens there', 'Start the store, or correct host and port of S3_ENDPOINT.'],
    // A gateway on workerd is told no more of a connection that was refused.
    ECONNRESET: [
      'nothing listens there, or the connection breaks off',
      'Look whether the store runs, and whether port and http or https of S3_ENDPOINT are right.',
    ],
    ETIMEDOUT: notReached,
    EHOSTUNREACH: notReached,
    ENETUNREACH: notReached,
    EPROTO: notSecure,
  }),
);
/** Workerd does not say that it cannot resolve a name. */
const unknownCause = [
  'no connection comes about',
  'Look whether the store runs, and whether S3_ENDPOINT is right.',
] as const;

const noAnswer: Advice = ({ host, code }, { bucket, style }) => {
  const isOfTls = /CERT|TLS|SSL|SIGNATURE/.test(code ?? '');
  const known = causes.get(code);
  const [cause, advice] = known ?? (isOfTls ? notSecure : unknownCause);
  const mayBeStyle = style === 'virtual' && (code === null || known === notResolved || isOfTls);
  return `The object store ${host} does not answer: ${cause}. ${advice}${mayBeStyle ? ` ${setPath(bucket)}` : ''}`;
};
