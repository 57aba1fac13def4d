import { setTimeout as sleep } from 'node:timers/promises';
import { WhylightClient } from '@whylight/client';
import type { Claim, Explanation, Report, Usage } from '@whylight/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawing } from '../service/pictures.ts';
import type { Call } from './front.ts';
import { SeveralWorkers } from './several-workers.ts';

let service: SeveralWorkers;
beforeAll(async () => {
  service = await SeveralWorkers.start({ workers: [{}, {}, {}], doubled: true });
});
afterAll(() => service?.stop());

/** Enough for a job to last for a second, several reports of progress long. */
const steps = 400;
const rounds = 2;

interface Heard {
  readonly key: string;
  readonly worker: string;
  readonly report: Report;
}

/** Notes what workers say, in order, and which of them says it. */
function listening(): Heard[] {
  const heard: Heard[] = [];
  const workers = new Map<string, string>();
  service.onCall = async ({ path, body }: Call, pass) => {
    const answer = await pass();
    const said = JSON.parse(body.toString()) as Claim | Report;
    if (answer.status === 204 && 'worker' in said) workers.set(said.nonce, said.worker);
    if (answer.status === 204 && 'status' in said)
      heard.push({ key: path.split('/').at(-1)!, worker: workers.get(said.nonce)!, report: said });
    return answer;
  };
  return heard;
}

/** A tenant that asks for explanations of many samples, each of another photo. */
async function newcomer() {
  const tenant = await service.newTenant('rolling');
  const key = tenant.key.secret;
  const client = new WhylightClient({ url: service.url, apiKey: key });
  const all: Explanation[] = [];
  const see = () =>
    Promise.all(all.map(({ id }) => service.call<Explanation>('GET', `/v1/explanations/${id}`, key)));
  return {
    client,
    see,
    checkpoints: async () => (await service.objects(tenant)).filter((name) => name.endsWith('/checkpoint')),
    async ask() {
      const { id: upload } = await client.upload((await drawing(all.length)).png, 'image/png');
      const asked = { input: { upload }, method: 'integrated-gradients', parameters: { n_steps: steps } };
      all.push(await service.call<Explanation>('POST', '/v1/explanations', key, asked));
    },
    open: async () => (await see()).filter(({ status }) => status === 'queued' || status === 'processing'),
    async again({ id }: Explanation): Promise<Explanation> {
      const place = all.findIndex((each) => each.id === id);
      const { id: upload } = await client.upload((await drawing(place)).png, 'image/png');
      const asked = { input: { upload }, method: 'integrated-gradients', parameters: { n_steps: steps } };
      return (await client.explain(asked, { fresh: true })).explanation;
    },
    usage: async () =>
      (await service.call<{ data: Usage[] }>('GET', '/v1/usage', key)).data.reduce(
        (sum, { compute_units }) => sum + compute_units,
        0,
      ),
  };
}

test('L5: workers are stopped in turn, again and again: nothing crashes, and sampled work goes on where it was', async () => {
  const heard = listening();
  const { ask, open, see, again, usage, checkpoints } = await newcomer();
  for (let round = 1; round <= rounds; round++)
    for (const [place, worker] of service.workers.entries()) {
      const said = (status: Report['status'], since: number) =>
        heard
          .slice(since)
          .some(({ worker: name, report }) => name === `w${place}` && report.status === status);
      const first = heard.length;
      // A job may end by itself at the moment of the stop: then the worker is stopped once more.
      for (let stop = 0; stop < 5 && !said('handed_back', first); stop++) {
        const since = heard.length;
        // Whatever the machine's speed, this worker is in the middle of a job when it is stopped.
        for (let wait = 0; !said('progress', since); wait++) {
          if (wait % 60 === 0 && ((await open()).length < 3 || wait > 0)) await ask();
          await sleep(50);
        }
        await worker.replace();
      }
    }
  await expect.poll(async () => (await open()).length, { timeout: 900_000, interval: 500 }).toBe(0);

  const ended = await see();
  expect(ended.map(({ status, error }) => [status, error])).toEqual(ended.map(() => ['succeeded', null]));
  expect(heard.filter(({ report }) => report.status === 'failed')).toEqual([]);
  const handedBack = heard.flatMap(({ key, report }) =>
    report.status === 'handed_back' && report.checkpoint ? [{ key, ...report.checkpoint }] : [],
  );
  expect(handedBack.length).toBeGreaterThanOrEqual(rounds * service.workers.length);

  // Of each question, no worker begins before the sample at which the one before it stopped.
  for (const key of new Set(handedBack.map((each) => each.key))) {
    let reached = 0;
    for (const { report } of heard.filter((each) => each.key === key)) {
      if (report.status === 'progress') expect(report.completed).toBeGreaterThanOrEqual(reached);
      if (report.status === 'handed_back') reached = report.checkpoint?.completed ?? reached;
    }
  }

  // Billed once each; and what was put together by several workers is what one alone computes, to the bit.
  expect(await usage()).toBe(ended.length * steps);
  const count = ({ cache }: Explanation) => handedBack.filter(({ key }) => cache.key!.endsWith(key)).length;
  const [most] = ended.toSorted((a, b) => count(b) - count(a));
  const alone = await again(most!);
  const sum = (each: Explanation) => each.attributions[0]!.artifacts.attribution.sha256;
  expect([alone.id === most!.id, alone.cache.status]).toEqual([false, 'bypass']);
  expect(sum(alone)).toBe(sum(most!));
  await expect.poll(checkpoints, { timeout: 30_000 }).toEqual([]);
}, 1_800_000);
