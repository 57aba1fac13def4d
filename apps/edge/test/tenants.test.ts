import { beforeAll, describe, expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { newId } from '../src/domain/ulid.ts';
import { document } from '../src/openapi.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  photo,
  report,
  success,
  uploaded,
} from './gateway.ts';
import { bringModel } from './own-model.ts';

const withoutIds = (text: string): string => text.replace(/req_\w+/g, 'req_');

/** What is sent where an empty object does not do. */
const bodies: Record<string, object> = {
  '/v1/models/{id}/complete': { parts: [{ part_number: 1, etag: 'x' }] },
};

/** Every route that names a tenant's resource in its path, from the document itself. */
const routes = Object.entries(app.getOpenAPI31Document(document).paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item as Record<string, { requestBody?: object }>).map(([method, { requestBody }]) => ({
    method: method.toUpperCase(),
    path,
    sent: requestBody ? { body: bodies[path] ?? {} } : {},
  })),
);
const owned = routes.filter(
  ({ path }) => path.startsWith('/v1/') && !/^\/v1\/(operator|compat)\//.test(path) && path.includes('{'),
);

describe('tenants see nothing of each other', () => {
  let owner: { id: string; key: string };
  let other: { id: string; key: string };
  const bytes = photo();
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    [owner, other] = [await newTenant('owner'), await newTenant('other')];
    ids['/v1/uploads'] = (await uploaded(owner.key, bytes)).id;
    const { body } = await explain(owner.key, { input: { upload: ids['/v1/uploads'] } });
    ids['/v1/explanations'] = body.id;
    const [job] = await jobsTaken(cacheKeyOf(body));
    await report(job!, success(job!));
    ids['/v1/batches'] = (
      await call('POST', '/v1/batches', { key: owner.key, body: { items: [{}] } })
    ).body.id;
    ids['/v1/webhook_endpoints'] = (
      await call('POST', '/v1/webhook_endpoints', { key: owner.key, body: { url: 'https://example.com/' } })
    ).body.id;
    ids['/v1/models'] = (await bringModel(owner.key)).id;
    ids['/v1/keys'] = `key_${owner.key.split('_')[2]}`;
  });

  test('the routes of the matrix are those of the document', () => {
    expect(owned.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'DELETE /v1/explanations/{id}',
      'DELETE /v1/keys/{id}',
      'DELETE /v1/models/{id}',
      'DELETE /v1/uploads/{id}',
      'DELETE /v1/webhook_endpoints/{id}',
      'GET /v1/batches/{id}',
      'GET /v1/explanations/{id}',
      'GET /v1/explanations/{id}/artifacts/{name}',
      'GET /v1/explanations/{id}/events',
      'GET /v1/models/{id}',
      'GET /v1/uploads/{id}',
      'GET /v1/webhook_endpoints/{id}',
      'GET /v1/webhook_endpoints/{id}/deliveries',
      'PATCH /v1/webhook_endpoints/{id}',
      'POST /v1/batches/{id}/cancel',
      'POST /v1/explanations/{id}/cancel',
      'POST /v1/explanations/{id}/render',
      'POST /v1/keys/{id}/rotate',
      'POST /v1/models/{id}/complete',
      'POST /v1/models/{id}/warm',
      'POST /v1/webhook_endpoints/{id}/deliveries/{delivery}/redeliver',
      'POST /v1/webhook_endpoints/{id}/rotate_secret',
    ]);
  });

  test.each(owned)(
    'A4: $method $path answers for what is another’s as for what is not there',
    async ({ method, path, sent }) => {
      const collection = Object.keys(ids).find((prefix) => path.startsWith(prefix))!;
      const of = (id: string) =>
        path
          .replace('{id}', id)
          .replace('{name}', 'overlay.png')
          .replace('{delivery}', `evt_${'0'.repeat(26)}`);
      const foreign = await call(method, of(ids[collection]!), { key: other.key, ...sent });
      const missing = await call(method, of(newId(ids[collection]!.slice(0, 3) as 'upl')), {
        key: other.key,
        ...sent,
      });
      expect([foreign.status, missing.status]).toEqual([404, 404]);
      expect(withoutIds(foreign.text)).toBe(withoutIds(missing.text));
      expect([...foreign.headers.keys()]).toEqual([...missing.headers.keys()]);
      if (method === 'GET')
        expect((await call(method, of(ids[collection]!), { key: owner.key })).status).toBeLessThan(400);
    },
  );

  test.each(owned)('C6: $method $path takes no path for an id', async ({ method, path, sent }) => {
    for (const id of ['..%2f..%2fu', '%00', '%2e%2e%2f', 'ｅxp_', 'x'.repeat(4096), "' OR 1=1 --"]) {
      const url = path
        .replace('{id}', encodeURI(id))
        .replace('{name}', 'overlay.png')
        .replace('{delivery}', `evt_${'0'.repeat(26)}`);
      expect((await call(method, url, { key: owner.key, ...sent })).status).toBe(404);
    }
  });

  test('lists hold what is one’s own', async () => {
    expect((await call('GET', '/v1/explanations', { key: owner.key })).body.data).toHaveLength(1);
    expect((await call('GET', '/v1/explanations', { key: other.key })).body.data).toEqual([]);
    expect((await call('GET', '/v1/keys', { key: other.key })).body.data).toHaveLength(1);
  });

  test('A5: another’s upload in a body is not there, and nothing comes of naming it', async () => {
    const foreign = await explain(other.key, { input: { upload: ids['/v1/uploads']! } });
    const missing = await explain(other.key, { input: { upload: newId('upl') } });
    expect(foreign.status).toBe(404);
    expect(withoutIds(foreign.text)).toBe(withoutIds(missing.text));
    const made = await bindings.DB.prepare('SELECT count(*) AS n FROM explanations WHERE tenant = ?').bind(
      other.id,
    );
    expect(await made.first('n')).toBe(0);
  });

  test('A6: a member that would reach into the service is refused by name', async () => {
    for (const member of ['tenant_id', 'tenant', 'status', 'cache_key', 'usage', 'object']) {
      const { status, body } = await call('POST', '/v1/explanations', {
        key: owner.key,
        body: { input: { upload: ids['/v1/uploads'] }, method: 'grad-cam', [member]: other.id },
      });
      expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'unknown_field', `/${member}`]);
    }
  });

  test('H3: the same bytes of another tenant are uploaded and computed again', async () => {
    const { id } = await uploaded(other.key, bytes);
    const asked = await explain(other.key, { input: { upload: id } });
    expect([asked.status, asked.body.cache.status]).toEqual([202, 'miss']);
    expect(await jobsTaken(cacheKeyOf(asked.body))).toHaveLength(1);
  });
});
