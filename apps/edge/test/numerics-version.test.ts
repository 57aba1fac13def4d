import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import {
  cacheKey,
  type Explanation,
  explanationSchema,
  type Job,
  type Rendering,
  type Result,
} from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import { expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  predicted,
  report,
  success,
  unsigned,
  uploaded,
} from './gateway.ts';

interface OlderRun {
  readonly submission: { readonly key: string; readonly question: object };
  readonly result: Result;
}

/** A result as a release wrote it whose scores were probabilities and whose warnings were text. */
function olderResult({ task: _, target, predictions, ...result }: Result): object {
  const older = ({ probability, ...rest }: Result['target']) => ({ ...rest, score: probability });
  const warnings = ['unsure: it may show something else', 'the model takes batches of 2 only'];
  return { ...result, target: older(target), predictions: predictions.map(older), warnings };
}

const computationOf = (key: string) => bindings.COMPUTATION.getByName(key);

/** Makes of a finished explanation what a release before numerics versions has stored of it. @returns its key */
async function madeOlder({ id }: Explanation, tenant: string, { key, question }: Job): Promise<string> {
  const { numerics_version: _, score: _score, ...older } = question;
  const { device } = await services(bindings).catalogs.get();
  const olderKey = await cacheKey(tenant, older, device);
  const stored = await runInDurableObject(computationOf(key), async (_, { storage }) => {
    const entries = Object.fromEntries(await storage.list());
    await storage.deleteAll();
    return entries;
  });
  await evictDurableObject(computationOf(key));
  const run = stored['run/1'] as OlderRun;
  const submission = { ...run.submission, key: olderKey, question: older };
  await runInDurableObject(computationOf(olderKey), (_, { storage }) =>
    storage.put({ ...stored, 'run/1': { ...run, submission, result: olderResult(run.result) } }),
  );
  await evictDurableObject(computationOf(olderKey));
  await bindings.DB.prepare('UPDATE explanations SET key = ? WHERE id = ?').bind(olderKey, id).run();
  return olderKey;
}

test('H8: a result from before numerics versions is shown and drawn, and answers no question of today', async () => {
  const { id: tenant, key } = await newTenant();
  const ask = async (upload: string) => (await explain(key, { input: { upload } })).body;
  const see = async ({ urls }: Explanation) => (await call<Explanation>('GET', urls.self, { key })).body;
  const upload = (await uploaded(key)).id;
  const made = await ask(upload);
  const [job] = await jobsTaken(cacheKeyOf(made));
  await report(job!, success(job!));
  const before = unsigned(await see(made));

  const olderKey = await madeOlder(made, tenant, job!);
  const now = await see(made);
  const known = ({ probability, ...rest }: { probability?: number | undefined; score: number | null }) => ({
    ...rest,
    probability,
    score: null,
  });
  expect(unsigned(explanationSchema.parse(now))).toEqual({
    ...before,
    cache: { ...before.cache, key: `sha256:${olderKey}` },
    predictions: before.predictions.map(known),
    attributions: before.attributions.map(known),
    warnings: [
      { code: 'unsure', message: 'it may show something else' },
      { code: 'note', message: 'the model takes batches of 2 only' },
    ],
  });
  const headers = { 'X-Api-Version': '2026-11-01' };
  const asBefore = (await call('GET', made.urls.self, { key, headers })).body;
  expect(asBefore).toMatchObject({ predictions: [{ score: 0.75 }], attributions: [{ score: 0.75 }] });
  expect((await call('GET', now.attributions[0]!.artifacts.overlay.url, { key })).status).toBe(302);
  const body = { visualization: { color_map: 'viridis' } };
  const drawn = await call<Rendering>('POST', `${made.urls.self}/render`, { key, body });
  expect([drawn.status, drawn.body.cache?.status]).toEqual([200, 'miss']);

  const again = await ask(upload);
  expect([again.status, again.cache.status]).toEqual(['queued', 'miss']);
  expect(cacheKeyOf(again)).not.toBe(olderKey);
});

test('H8: pictures that an earlier release has drawn keep their warnings', async () => {
  const { key } = await newTenant();
  const made = (await explain(key, { input: { upload: (await uploaded(key)).id } })).body;
  const [job] = await jobsTaken(cacheKeyOf(made));
  await report(job!, success(job!));
  const draw = () => call<Rendering>('POST', `${made.urls.self}/render`, { key, body: { language: 'zh' } });
  const drawn = (await draw()).body;
  await runInDurableObject(computationOf(job!.key), async (_, { storage }) => {
    for (const [name, rendering] of await storage.list<object>({ prefix: 'rendering/' }))
      await storage.put(name, {
        ...rendering,
        warnings: ['label_in_english: the class has no Chinese name'],
      });
  });
  const again = (await draw()).body;
  expect([again.cache.status, again.warnings]).toEqual(['hit', drawn.warnings]);
});

test('H8: the questions of an explanation and of a prediction say by which numerics', async () => {
  const { key } = await newTenant();
  const { id: upload, sha256: image } = await uploaded(key);
  await explain(key, { input: { upload } });
  const predicting = call('POST', '/v1/predictions', { key, body: { input: { upload } } });
  const taken = await vi.waitFor(
    async () => {
      const jobs = (await (await fetch(`${bindings.WORKER_URL}/taken?image=${image}`)).json()) as Job[];
      expect(jobs).toHaveLength(2);
      return jobs;
    },
    { timeout: 20_000, interval: 25 },
  );
  expect(taken.map(({ question }) => question.numerics_version)).toEqual([numericsVersion, numericsVersion]);
  const prediction = taken.find(({ question }) => question.method === 'prediction')!;
  await report(prediction, predicted(prediction));
  expect((await predicting).status).toBe(200);
});
