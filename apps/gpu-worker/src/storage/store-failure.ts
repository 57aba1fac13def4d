import { S3ServiceException } from '@aws-sdk/client-s3';
import {
  faultFields,
  faultOf,
  objectUrl,
  type Store,
  type StoreFault,
  type StoreVerb,
  unansweredBy,
} from '@whylight/contract/store';
import { JobFailure } from '../job-failure.ts';

/** A job that ends because the store failed. The user's message does not say how; the log does. */
export class StoreFailure extends JobFailure {
  readonly fault: StoreFault;

  constructor(fault: StoreFault) {
    const done = fault.verb === 'PUT' ? 'written' : 'read';
    super('storage_unavailable', `the object store could not be ${done}`, true);
    this.fault = fault;
  }
}

/** What the log is told of a failure of the store: verb, host, status and code. Of other errors nothing. */
export const storeFieldsOf = (thrown: unknown): { store?: ReturnType<typeof faultFields> } =>
  thrown instanceof StoreFailure ? { store: faultFields(thrown.fault) } : {};

/** Reads an error of the S3 client. */
export function faultBehind(error: unknown, verb: StoreVerb, store: Store): StoreFault {
  const request = { verb, url: objectUrl(store, '') };
  const { $response } = error as { $response?: { statusCode: number; headers: Record<string, string> } };
  // An answer that is no XML ends with another error, beside which the answer stands.
  if (!(error instanceof S3ServiceException))
    return $response
      ? faultOf(request, { status: $response.statusCode, code: null, message: '', region: null })
      : unansweredBy(request, error);
  const { Region = $response?.headers['x-amz-bucket-region'] ?? null } = error as { Region?: string | null };
  return faultOf(request, {
    status: error.$metadata.httpStatusCode ?? 0,
    // The client's names for an answer without a code.
    code: /^Unknown/.test(error.name) ? null : error.name,
    message: error.message,
    region: Region,
  });
}
