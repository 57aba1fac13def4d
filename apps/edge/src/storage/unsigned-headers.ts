import type { Objects } from './objects.ts';

const bytes = new Uint8Array([1, 2, 3, 4]);
const signed = { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) };

/** Objects of a trial. `source` is there when this begins; who calls it deletes both. */
export interface ProbeObjects {
  readonly source: string;
  readonly target: string;
}

/**
 * Tries what a client could add to the signed PUT of an object, and of a part: which of these headers the store takes
 * though they are not signed. It must take no header: `x-amz-copy-source` turns a PUT into a copy of another object.
 *
 * @returns null without a result, because the store does not answer, or too seldom
 */
export async function findUnsignedHeaders(
  objects: Objects,
  { source, target }: ProbeObjects,
): Promise<string[] | null> {
  const copy = { 'x-amz-copy-source': objects.pathOf(source) };
  const whole = await objects.signedPut(target, signed);
  const answers = [
    ['x-amz-copy-source', await acceptsPut(whole, copy)],
    ['x-amz-meta-probe', await acceptsPut(whole, { 'x-amz-meta-probe': '1' })],
    ['x-amz-copy-source (of a part)', await acceptsPart(objects, target, copy)],
  ] as const;
  const taken = answers.flatMap(([name, answer]) => (answer === true ? [name] : []));
  return taken.length === 0 && answers.some(([, answer]) => answer === null) ? null : taken;
}

async function acceptsPart(
  objects: Objects,
  target: string,
  more: Record<string, string>,
): Promise<boolean | null> {
  const upload = await objects.beginParts(target).catch(() => null);
  if (upload === null) return null;
  const taken = await acceptsPut(await objects.signedPart(target, upload, 1, bytes.length), more, false);
  await objects.dropParts(target, upload).catch(() => {});
  return taken;
}

/** Whether a signed PUT with `more` headers is taken; null when the answer says nothing of the request. */
async function acceptsPut(url: string, more: Record<string, string>, typed = true): Promise<boolean | null> {
  try {
    const headers = { ...(typed ? { 'content-type': signed['content-type'] } : {}), ...more };
    const response = await fetch(url, {
      method: 'PUT',
      headers: { ...headers, 'content-length': signed['content-length'] },
      body: bytes,
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    if (ok) return true;
    // 501: it has no such feature, so it refuses that too. Too slow or too often says nothing.
    return status === 501 || (status >= 400 && status < 500 && status !== 408 && status !== 429)
      ? false
      : null;
  } catch {
    return null;
  }
}
