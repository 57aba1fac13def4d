import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import {
  type Explanation,
  explanationSchema,
  type ModelSource,
  type Rendering,
  reportSchema,
} from '@whylight/contract';
import { answerSchemas, samplesOf } from '@whylight/contract/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import { Catalogs } from '../src/storage/catalogs.ts';
import { GpuWorker } from '../src/storage/gpu-worker.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  report,
  success,
  unsigned,
  uploaded,
} from './gateway.ts';

declare global {
  interface ImportMeta {
    /** Of Vite: the files' texts, by path. The call is replaced while the test is built. */
    glob(pattern: string, options: { query: '?raw'; import: 'default'; eager: true }): Record<string, string>;
  }
}

const more = { of_tomorrow: { any: 'thing' } };
const { settings } = services(bindings);
const model = {} as ModelSource;

/** The value with one more member in each of its objects; the members' names of `parameters` are the asker's. */
function grown<T>(value: T): T {
  if (Array.isArray(value)) return value.map(grown) as T;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, one]) => [
    name,
    name === 'parameters' ? one : grown(one),
  ]);
  return { ...Object.fromEntries(members), ...more } as T;
}

/** A registry to which no worker reports. */
const noWorkers = () => ({ read: async () => ({ count: 0, catalog: null }) });

/** What the gateway reads of a worker, by schema, when the worker answers every call with `body`. */
const read = new Map<string, (worker: GpuWorker, body: unknown) => Promise<unknown>>(
  Object.entries({
    catalogSchema: async (worker, body) => [
      await worker.catalog(),
      await new Catalogs(
        database(body),
        { catalog: () => Promise.reject(new Error('away')) },
        noWorkers,
      ).get(),
    ],
    jobErrorSchema: (worker) => worker.render({} as never),
    renderedSchema: (worker) => worker.render({} as never),
    reportSchema: async (_, body) => reportSchema.parse(body),
    validationSchema: (worker) => worker.validate(model, 'req_1'),
    workerRefusalSchema: (worker) => worker.take({} as never),
  }),
);

/** A database in which the worker's catalogue was kept. */
const database = (catalog: unknown): D1Database =>
  ({ prepare: () => ({ first: async () => JSON.stringify(catalog) }) }) as never;

function outcome(name: string, body: unknown): Promise<unknown> {
  const status = new Map([
    ['jobErrorSchema', 422],
    ['workerRefusalSchema', 421],
  ]).get(name);
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () =>
    Response.json(body, { status: status ?? 200 }),
  );
  return read.get(name)!(new GpuWorker(settings, noWorkers), body);
}

describe('L16: one member more in an answer of the worker', () => {
  afterEach(() => vi.restoreAllMocks());

  test('every answer that the gateway reads is tried', () => {
    const sources = import.meta.glob('../src/**/*.ts', {
      query: '?raw',
      import: 'default',
      eager: true,
    });
    const own = Object.entries(sources).filter(([path]) => !path.endsWith('.test.ts'));
    const names = own.flatMap(([, text]) => [
      ...[...text.matchAll(/\b(\w+Schema)\.(?:safeP|p)arse\b/g)].map(([, name]) => name!),
      ...(text.includes('body: reportSchema') ? ['reportSchema'] : []),
    ]);
    const answers = new Set(answerSchemas.map(([name]) => name));
    expect([...new Set(names)].filter((name) => answers.has(name)).sort()).toEqual([...read.keys()].sort());
  });

  test.each(answerSchemas.filter(([name]) => read.has(name)))(
    '%s: the gateway goes on',
    async (name, schema) => {
      const tomorrow = samplesOf(schema, more);
      for (const [index, today] of samplesOf(schema).entries())
        expect(await outcome(name, tomorrow[index])).toEqual(await outcome(name, today));
    },
  );
});

describe('L16: one member more', () => {
  async function asked() {
    const { key } = await newTenant();
    const { body } = await explain(key, { input: { upload: (await uploaded(key)).id } });
    const [job] = await jobsTaken(cacheKeyOf(body));
    const see = async () => (await call<Explanation>('GET', body.urls.self, { key })).body;
    return {
      key,
      id: body.id,
      job: job!,
      see,
      computation: bindings.COMPUTATION.getByName(cacheKeyOf(body)),
    };
  }

  test('in a worker’s report: the result is kept, and the member is dropped', async () => {
    const { job, see } = await asked();
    expect((await report(job, grown(success(job)))).status).toBe(204);
    const seen = await see();
    expect(seen).toMatchObject({ status: 'succeeded', attributions: [{ attribution_sum: 12.5 }] });
    expect(JSON.stringify(seen)).not.toContain('of_tomorrow');
  });

  test('in what a newer gateway has stored: it is shown and drawn again', async () => {
    const { key, id, job, see, computation } = await asked();
    await report(job, success(job));
    const before = await see();
    await runInDurableObject(computation, async (_, { storage }) => {
      const run = (await storage.get<{ result: object; artifacts: object[] }>('run/1'))!;
      await storage.put('run/1', {
        ...run,
        ...more,
        result: grown(run.result),
        artifacts: grown(run.artifacts),
      });
    });
    await evictDurableObject(computation);
    expect(unsigned(explanationSchema.parse(await see()))).toEqual(unsigned(before));
    const body = { visualization: { color_map: 'viridis' } };
    const drawn = await call<Rendering>('POST', `/v1/explanations/${id}/render`, { key, body });
    expect([drawn.status, drawn.body.cache?.status]).toEqual([200, 'miss']);
  });

  test('API3: in a body that a client sends it is refused, with a pointer', async () => {
    const { key } = await newTenant();
    const { id } = await uploaded(key);
    for (const body of [{ input: { upload: id }, ...more }, { input: { upload: id, ...more } }]) {
      const { status, text } = await explain(key, body as never);
      expect([status, text.includes('of_tomorrow')]).toEqual([400, true]);
    }
  });
});

test('the OpenAPI document says so: requests are closed, answers are open', async () => {
  const { body } = await call('GET', '/openapi.json');
  const { schemas } = body.components;
  expect(schemas.ExplanationRequest.additionalProperties).toBe(false);
  expect(schemas.Visualization.additionalProperties).toBe(false);
  for (const name of ['Explanation', 'Model', 'Problem', 'Rendering', 'AnsweredVisualization'])
    expect([name, schemas[name].additionalProperties ?? true]).not.toContain(false);
});
