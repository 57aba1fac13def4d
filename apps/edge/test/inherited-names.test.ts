import { runDurableObjectAlarm } from 'cloudflare:test';
import type { Batch } from '@whylight/contract';
import { methods } from '@whylight/core/methods';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { document } from '../src/openapi.ts';
import { type Answer, announce, bindings, call, newTenant, photo, uploaded } from './gateway.ts';
import { announceModel, bringModel } from './own-model.ts';
import { operatorKey } from './secrets.ts';

/** Every JavaScript object inherits these names. A look-up that does not ask for own keys finds them. */
const inherited = [
  'toString',
  'constructor',
  'valueOf',
  'hasOwnProperty',
  '__proto__',
  'isPrototypeOf',
  '__defineGetter__',
  'toLocaleString',
];
/** Names that nothing has, inherited or not: what is answered to the one of the same form is right for `name` too. */
const unknownLike = (name: string): string => name.replace(/[a-z]/gi, 'q');

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly key: string;
}
/** A request with a name at one place of it. */
interface Place {
  readonly what: string;
  at(name: string): Request;
}

/** The object with one more member, also where that is `__proto__`. */
const withMember = (object: object, name: string, value: unknown): object =>
  Object.fromEntries([...Object.entries(object), [name, value]]);

/** The body with the name as one more member of each object, and in the place of each text. */
function bodiesWith(value: unknown, where = ''): { where: string; at: (name: string) => unknown }[] {
  if (typeof value === 'string') return [{ where, at: (name) => name }];
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([member, inner]) =>
    bodiesWith(inner, `${where}/${member}`).map(({ where: place, at }) => ({
      where: place,
      at: (name: string) =>
        Array.isArray(value)
          ? value.map((item, i) => (String(i) === member ? at(name) : item))
          : { ...value, [member]: at(name) },
    })),
  );
  if (Array.isArray(value)) return below;
  const members = [{ where: `${where}/<name>`, at: (name: string) => withMember(value, name, 1) }];
  return [...members, ...below];
}

/** What must be the same for every name that nothing has. */
const outcome = (
  name: string,
  { status, body }: Answer<Record<string, never>>,
): [status: number, ...unknown[]] => {
  const renamed = (text: unknown) => String(text).replaceAll(name, '<name>');
  const { code, errors = [] } = (body ?? {}) as {
    code?: string;
    errors?: { pointer: string; code: string }[];
  };
  return [status, code, ...errors.map((error) => [renamed(error.pointer), error.code])];
};

const api = app.getOpenAPI31Document(document);
const paths = Object.entries(api.paths ?? {}) as [string, Record<string, Operation>][];
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly security?: readonly object[];
}
const operations = paths.flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

describe('names that every object inherits', () => {
  let tenant: { id: string; key: string };
  let upload: string;
  let bodies: Record<string, unknown>;
  const hash = '21'.repeat(32);
  const visualization = { color_map: 'jet' };

  beforeAll(async () => {
    tenant = await newTenant();
    await call('PUT', `/v1/operator/tenants/${tenant.id}/limits`, {
      key: operatorKey,
      body: { requests: 1_000_000, concurrency: 1_000_000, compute_units: 1_000_000, batches: 1_000_000 },
    });
    upload = (await uploaded(tenant.key)).id;
    const explanation = {
      input: { upload },
      model: 'shapes',
      method: 'grad-cam',
      target: { label: 'circle' },
      parameters: { normalize: true },
      convention: 'paper',
      layers: ['conv2'],
      language: 'en',
      output: { visualization },
      metadata: { a: 'b' },
      webhook: `whk_${'0'.repeat(26)}`,
    };
    const instances = [{ b64: 'iVBORw0KGgo=' }];
    bodies = {
      'POST /v1/uploads': { content_type: 'image/png', content_length: 9, sha256: hash },
      'POST /v1/explanations': explanation,
      'POST /v1/explanations/{id}/render': { visualization, language: 'en' },
      // No such model: else it would be waited for.
      'POST /v1/predictions': { input: { upload }, model: 'none' },
      'POST /v1/batches': { items: [explanation] },
      'POST /v1/webhook_endpoints': { url: 'https://example.com/' },
      'PATCH /v1/webhook_endpoints/{id}': { status: 'enabled' },
      'POST /v1/webhook_endpoints/{id}/rotate_secret': { grace_seconds: 0 },
      'POST /v1/compat/kserve/v1/models/{model}': {
        instances: [...instances, { image: { b64: 'x' } }, { image_bytes: { b64: 'x' } }],
        parameters: { method: 'grad-cam', parameters: { normalize: true } },
      },
      'POST /v1/compat/vertex/v1/projects/{project}/locations/{location}/endpoints/{endpoint}': {
        instances,
        parameters: { a: 1 },
        explanationSpecOverride: { parameters: { sampledShapleyAttribution: { pathCount: 1 } } },
      },
      'POST /v1/models': {
        name: 'mine',
        sha256: hash,
        content_length: 9,
        labels: ['a', { en: 'b', zh: 'c' }],
        preprocessing: { layout: 'NCHW', mean: [0, 0, 0] },
        fixed_inputs: { scale: 1 },
        scores: 'logits',
        cam_tensor: 'x',
      },
      'POST /v1/models/{id}/complete': { parts: [{ part_number: 1, etag: 'x' }] },
      'POST /v1/keys': { name: 'a', scopes: ['models:read'] },
      'POST /v1/keys/{id}/rotate': { grace_seconds: 0 },
      'POST /v1/operator/tenants': { name: 'a' },
      'POST /v1/operator/tenants/{id}/keys': { name: 'a' },
      'PUT /v1/operator/tenants/{id}/limits': { requests: 1_000_000 },
      'POST /internal/reports/{key}': { attempt: 1, lease: 'x'.repeat(16), status: 'alive' },
      'POST /internal/presence': {
        worker: 'w1',
        release: '1.0.0',
        contract: '/v5/jobs',
        numerics_version: '1',
        state: 'ready',
        clock: 1,
        catalog: { digest: hash },
        done: ['o'],
        wait: 0,
      },
      'POST /internal/claims/{key}': {
        attempt: 1,
        lease: 'x'.repeat(16),
        nonce: '0'.repeat(32),
        worker: 'worker-1',
      },
    };
  });

  test('L12: every route that takes a body is tried', () => {
    const takers = operations.filter(({ operation }) => operation.requestBody);
    expect(Object.keys(bodies).sort()).toEqual(takers.map(({ method, path }) => `${method} ${path}`).sort());
  });

  /** Every place of a route where a name from outside can stand: its body, its query, its path. */
  function placesOf({ method, path, operation }: (typeof operations)[number]): Place[] {
    const isOperators = operation.security?.some(
      (scheme) => 'operatorKey' in scheme || 'backlogKey' in scheme,
    );
    const key = isOperators ? operatorKey : tenant.key;
    const filled = path
      .replace('{model}', 'shapes:explain')
      .replace('{endpoint}', 'shapes:explain')
      .replace(/\{\w+\}/g, 'none');
    const body = bodies[`${method} ${path}`];
    const given = body === undefined ? {} : { body };
    const inBody = bodiesWith(body).map(({ where, at }) => ({
      what: where,
      at: (name: string) => ({ method, path: filled, key, body: at(name) }),
    }));
    const parameters = operation.parameters ?? [];
    const inQuery = parameters
      .filter((parameter) => parameter.in === 'query')
      .map(({ name: parameter }) => ({
        what: `?${parameter}=<name>`,
        at: (name: string) => ({ method, path: `${filled}?${parameter}=${name}`, key, ...given }),
      }));
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([segment]) => ({
      what: segment,
      at: (name: string) => ({
        method,
        path: path.replace(segment, name).replace(/\{\w+\}/g, 'none'),
        key,
        ...given,
      }),
    }));
    const asQuery = {
      what: '?<name>=1',
      at: (name: string) => ({ method, path: `${filled}?${name}=1`, key, ...given }),
    };
    return [...inBody, ...inQuery, ...inPath, asQuery];
  }

  test.each(operations)(
    'L12: $method $path answers to them as to any name that nothing has',
    {
      timeout: 120_000,
    },
    async (route) => {
      const places = placesOf(route);
      const wrong: unknown[] = [];
      for (const { what, at } of places) {
        const ask = async (name: string) => {
          const { method, path, ...sent } = at(name);
          // Store and worker may be slow on a busy machine: that is no answer to the name.
          const answered = await vi.waitFor(
            async () => {
              const answer = await call(method, path, sent);
              expect(['storage_unavailable', 'capacity']).not.toContain(answer.body?.code);
              return outcome(name, answer);
            },
            { timeout: 30_000 },
          );
          // A tenant keeps so many models, and is answered otherwise for one that it has.
          if (path.startsWith('/v1/models'))
            await bindings.DB.prepare('DELETE FROM models WHERE tenant = ?').bind(tenant.id).run();
          return answered;
        };
        const right = new Map<string, [status: number, ...unknown[]]>();
        for (const name of new Set(inherited.map(unknownLike))) right.set(name, await ask(name));
        for (const name of inherited) {
          const [got, expected] = [await ask(name), right.get(unknownLike(name))!];
          // The store of these tests takes what is not signed: so nothing is ready.
          const isOurs = got[0] >= 500 && got[1] !== 'not_configured';
          if (JSON.stringify(got) !== JSON.stringify(expected) || isOurs)
            wrong.push([what, name, got, expected]);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  test('L12: no method has a parameter of such a name, and each says so where it stands', async () => {
    for (const { id: method } of methods)
      for (const name of inherited) {
        const body = { input: { upload }, method, parameters: withMember({}, name, 1) };
        const answer = await call('POST', '/v1/explanations', { key: tenant.key, body });
        expect([method, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([
          method,
          400,
          `/parameters/${name}`,
        ]);
        expect(answer.body.detail).toContain(`no parameter "${name}"`);
      }
  });

  test('L12: metadata may have such names, and comes back as it was sent', async () => {
    const metadata = inherited.reduce((all, name) => withMember(all, name, `is ${name}`), {});
    const body = { input: { upload }, method: 'grad-cam', metadata };
    const asked = await call('POST', '/v1/explanations', { key: tenant.key, body });
    expect(asked.status).toBe(202);
    const read = await call('GET', `/v1/explanations/${asked.body.id}`, { key: tenant.key });
    for (const answer of [asked, read]) expect(answer.text).toContain(JSON.stringify(metadata));
    const batch = await call<Batch>('POST', '/v1/batches', { key: tenant.key, body: { items: [body] } });
    const [made] = await vi.waitFor(async () => {
      const { items } = (await call<Batch>('GET', `/v1/batches/${batch.body.id}`, { key: tenant.key })).body;
      expect(items[0]!.explanation).not.toBeNull();
      return items;
    });
    const one = await call('GET', `/v1/explanations/${made!.explanation}`, { key: tenant.key });
    expect(one.text).toContain(JSON.stringify(metadata));
  });

  test('L12: an input of a model may have such a name, and the worker is told of it', async () => {
    const fixed_inputs = withMember({}, '__proto__', 1);
    const { body } = await announceModel(tenant.key, { fixed_inputs: fixed_inputs as never });
    const kept = await bindings.DB.prepare('SELECT manifest FROM models WHERE id = ?')
      .bind(body.id)
      .first('manifest');
    expect(JSON.parse(kept as string).fixed_inputs).toEqual(fixed_inputs);
    expect(kept).toContain('"__proto__":1');
  });

  test('L12: in a batch such a parameter ends its item at once, and only that', async () => {
    const item = (parameters: object) => ({ input: { upload }, method: 'grad-cam', parameters });
    const bad = inherited.map((name) => item(withMember({}, name, 1)));
    const strange = inherited.map((name) => withMember(item({}), name, 1));
    const items = [...bad, ...strange, item({})];
    const { body } = await call<Batch>('POST', '/v1/batches', { key: tenant.key, body: { items } });
    const seen = await vi.waitFor(async () => {
      const now = (await call<Batch>('GET', `/v1/batches/${body.id}`, { key: tenant.key })).body;
      expect(now.counts.waiting).toBe(0);
      return now;
    });
    expect(seen.counts).toMatchObject({ refused: 2 * inherited.length, queued: 1 });
    const errors = seen.items.map(({ error }) => [error?.code, error?.errors?.[0]?.pointer]);
    expect(errors.slice(0, -1)).toEqual([
      ...inherited.map((name) => ['invalid_parameter', `/parameters/${name}`]),
      ...inherited.map((name, i) => ['unknown_field', `/items/${inherited.length + i}/${name}`]),
    ]);
  });
});

test('L12: an item of a batch that fails for a fault of this side is tried three times, and ends by saying so', async () => {
  const { id: tenant, key } = await newTenant();
  const { id: upload } = await uploaded(key);
  const { name, id } = await bringModel(key, { name: 'torn' });
  await bindings.DB.prepare("UPDATE models SET facts = '{' WHERE id = ?").bind(id).run();
  const items = [
    { input: { upload }, method: 'grad-cam', model: name },
    { input: { upload }, method: 'grad-cam' },
  ];
  const { body } = await call<Batch>('POST', '/v1/batches', { key, body: { items } });
  const batch = bindings.BATCH.getByName(`${tenant}/${body.id}`);
  const seen = async () => (await call<Batch>('GET', `/v1/batches/${body.id}`, { key })).body;
  // The other item does not wait for it.
  await vi.waitFor(async () =>
    expect((await seen()).items.map(({ status }) => status)).toEqual(['waiting', 'queued']),
  );
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(batch);
      expect((await seen()).items[0]!.status).toBe('refused');
    },
    { timeout: 20_000 },
  );
  const [{ error }] = (await seen()).items as [Batch['items'][number]];
  expect(error).toMatchObject({ code: 'internal', retryable: true });
  expect(error!.detail).toContain('each of the 3 times');
});

test('L12: such a name in a header changes nothing', async () => {
  const { key } = await newTenant();
  for (const name of inherited) {
    const answer = await call('GET', '/v1/uploads/none', { key, headers: { [name]: '1' } });
    expect([name, answer.status]).toEqual([name, 404]);
  }
  await announce(key, photo());
});
