import type { Explanation, Rendering, RenderingRequest } from '@whylight/contract';
import { cacheKeyOf, call, explain, jobsTaken, newTenant, report, success, uploaded } from './gateway.ts';

/** A tenant with one explanation that is done. */
export async function explained() {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  const ask = (body: object = {}, headers = {}) => explain(key, { input: { upload }, ...body }, headers);
  const made = (await ask()).body;
  const [job] = await jobsTaken(cacheKeyOf(made));
  await report(job!, success(job!));
  const see = async (which: { id: string } = made): Promise<Explanation> =>
    (await call<Explanation>('GET', `/v1/explanations/${which.id}`, { key })).body;
  const render = (body: RenderingRequest = {}, which: { id: string } = made) =>
    call<Rendering>('POST', `/v1/explanations/${which.id}/render`, { key, body });
  const fetchPicture = (url: string) => call('GET', url, { key });
  return { key, upload, ask, made, job: job!, see, render, fetchPicture, computation: cacheKeyOf(made) };
}
