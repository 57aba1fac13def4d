import { type StoreFault, wrongBytes, wrongObject } from '@whylight/contract/store';
import type { Objects } from './objects.ts';
import { answerOf } from './store-requests.ts';

/** Other bytes each time, so that no cache gives back those of a trial before. */
const size = 16;
const type = 'application/octet-stream';

/**
 * Writes a small object and reads it, by signed URLs as clients do, and reads it as the gateway does; then asks for one that is not
 * there, which the gateway must be told of. A request without an answer is sent once more.
 *
 * @returns what is wrong; null if nothing is
 */
export async function tryStore(objects: Objects, name: string, missing: string): Promise<StoreFault | null> {
  const bytes = crypto.getRandomValues(new Uint8Array(size));
  const { requests } = objects;
  const headers = { 'content-type': type, 'content-length': String(size) };
  const written = new URL(await objects.signedPut(name, headers));
  const read = new URL(await requests.signUrl('GET', name, {}));
  const steps: (() => Promise<StoreFault | null>)[] = [
    () => faultOf('PUT', written, { method: 'PUT', headers, body: bytes }),
    () => faultOf('GET', read, {}, bytes),
    async () =>
      differs(await twice(() => requests.try('GET', name)), bytes, new URL(requests.store.endpoint).host),
    async () => {
      const answer = await twice(() => requests.try('HEAD', missing, { accepts: [404] }));
      // An answer to HEAD has no body that holds a code. After the steps before it can be about rights only.
      return answer instanceof Response
        ? null
        : answer.status === 403
          ? { ...answer, code: 'AccessDenied' }
          : answer;
    },
  ];
  for (const step of steps) {
    const fault = await step();
    if (fault) return fault;
  }
  return null;
}

async function faultOf(
  verb: 'PUT' | 'GET',
  url: URL,
  init: RequestInit,
  expected?: Uint8Array,
): Promise<StoreFault | null> {
  const answer = await twice(() =>
    answerOf({ verb, url }, () =>
      fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(5_000) }),
    ),
  );
  if (expected) return differs(answer, expected, url.host);
  if (!(answer instanceof Response)) return answer;
  await answer.body?.cancel();
  return null;
}

async function differs(
  answer: Response | StoreFault,
  expected: Uint8Array,
  host: string,
): Promise<StoreFault | null> {
  if (!(answer instanceof Response)) return answer.status === 404 ? missed(answer) : answer;
  const got = new Uint8Array(await answer.arrayBuffer());
  const isSame = got.length === expected.length && got.every((byte, i) => byte === expected[i]);
  return isSame
    ? null
    : { verb: 'GET', host, status: answer.status, code: wrongBytes, message: '', region: null };
}

/** The object that was written is not there. A bucket that is not there keeps its own code. */
const missed = (fault: StoreFault): StoreFault =>
  fault.code === null || fault.code === 'NoSuchKey' ? { ...fault, code: wrongObject } : fault;

async function twice(request: () => Promise<Response | StoreFault>): Promise<Response | StoreFault> {
  const first = await request();
  const isFault = !(first instanceof Response) && (first.status === null || first.status >= 500);
  return isFault ? request() : first;
}
