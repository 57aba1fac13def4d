import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { type Explanation, type Model, sha256Hex, type Upload } from '@whylight/contract';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { newId } from '../src/domain/ulid.ts';
import { document } from '../src/openapi.ts';
import { services } from '../src/services.ts';
import { ObjectNames } from '../src/storage/object-names.ts';
import {
  announce,
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  photo,
  put,
  report,
  success,
  uploaded,
  write,
} from './gateway.ts';
import { announceModel, bringModel, putParts } from './own-model.ts';
import { credentials } from './secrets.ts';

const store = new AwsClient({ ...credentials, service: 's3', region: 'auto', retries: 0 });
const { objects } = services(bindings);

/** Names of all objects of a tenant, as the store lists them. */
async function objectsOf(tenant: string): Promise<string[]> {
  const listed = await store.fetch(
    `${bindings.S3_ENDPOINT}/${bindings.S3_BUCKET}?list-type=2&prefix=t/${tenant}/`,
  );
  return Array.from((await listed.text()).matchAll(/<Key>([^<]+)<\/Key>/g), ([, key]) => key!);
}
const objectOf = async (table: 'uploads' | 'models', id: string): Promise<string> =>
  (await bindings.DB.prepare(`SELECT object FROM ${table} WHERE id = ?`).bind(id).first<string>('object'))!;
const ulidOf = (id: string): string => id.slice(4);

/** A finished explanation of the photo, whose artifacts are in the store. */
async function explained(key: string, upload: string, more: object = {}): Promise<Explanation> {
  const { body } = await explain(key, { input: { upload }, ...more });
  const [job] = await jobsTaken(cacheKeyOf(body));
  const done = success(job!);
  for (const { object } of done.artifacts) await write(object, 'artifact');
  expect((await report(job!, done)).status).toBe(204);
  return (await call<Explanation>('GET', `/v1/explanations/${body.id}`, { key })).body;
}

describe('L2: with a store that copies whatever it is asked to', () => {
  let victim: { id: string; key: string };
  let attacker: { id: string; key: string };
  const bytes = photo();
  let theirs: Upload;

  beforeAll(async () => {
    [victim, attacker] = [await newTenant('victim'), await newTenant('attacker')];
    theirs = await uploaded(victim.key, bytes);
  });

  /** A PUT of the attacker's own photo that names another object to copy. */
  const copy = async (source: string): Promise<{ status: number; is: string }> => {
    const mine = await announce(attacker.key, bytes);
    const headers = { ...mine.upload!.headers, 'x-amz-copy-source': `/${bindings.S3_BUCKET}/${source}` };
    const { status } = await put(mine, new Uint8Array(bytes.length), headers);
    const { body } = await call<Upload>('GET', `/v1/uploads/${mine.id}`, { key: attacker.key });
    await call('DELETE', `/v1/uploads/${mine.id}`, { key: attacker.key });
    return { status, is: body.status };
  };

  test('C6, L2: another tenant’s photo is not copied by who knows its id, hash, size and type', async () => {
    const own = await announce(attacker.key, photo());
    const [, code] = /-([0-9a-f]+)$/.exec(new URL(own.upload!.url).pathname)!;
    const path = `t/${victim.id}/u/${ulidOf(theirs.id)}`;
    for (const guess of [path, `${path}-${code}`, `${path}-${theirs.sha256.slice(0, 32)}`, `${path}-`])
      expect([guess, await copy(guess)]).toEqual([guess, { status: 404, is: 'pending' }]);
    // The name alone is what it takes: this store refuses no copy.
    expect(await copy(await objectOf('uploads', theirs.id))).toEqual({ status: 200, is: 'ready' });
  });

  test('L2: nor is a model, by a part', async () => {
    const file = photo();
    const secret = await bringModel(victim.key, {}, file);
    const part = async (source: string): Promise<number> => {
      const { body: mine } = await announceModel(
        attacker.key,
        { name: `m${newId('mdl').slice(-9).toLowerCase()}` },
        file,
      );
      const [{ url, headers }] = mine.upload!.parts as [NonNullable<Model['upload']>['parts'][number]];
      const more = { ...headers, 'x-amz-copy-source': `/${bindings.S3_BUCKET}/${source}` };
      return (await fetch(url, { method: 'PUT', headers: more, body: new Uint8Array(file.length) })).status;
    };
    expect(await part(`t/${victim.id}/m/${ulidOf(secret.id)}`)).toBe(404);
    expect(await part(await objectOf('models', secret.id))).toBe(200);
  });
});

/** Every text in a JSON value. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)])
      : [];

describe('L2: nothing that a tenant is told leads to an object', () => {
  let tenant: { id: string; key: string };
  const answers: { what: string; text: string; location: string }[] = [];

  const told = async (what: string, method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await call(method, path, { key: tenant.key, ...(body === undefined ? {} : { body }) });
    answers.push({ what, text: answer.text, location: answer.headers.get('Location') ?? '' });
  };

  beforeAll(async () => {
    tenant = await newTenant();
    const bytes = photo();
    const { id: endpoint } = (
      await call('POST', '/v1/webhook_endpoints', {
        key: tenant.key,
        body: { url: `${(bindings as unknown as { RECEIVER_URL: string }).RECEIVER_URL}/hook/${tenant.id}` },
      })
    ).body;
    const announced = await announce(tenant.key, bytes);
    answers.push({ what: 'POST /v1/uploads', text: JSON.stringify(announced), location: '' });
    await put(announced, bytes);
    const other = await announce(tenant.key, photo());
    answers.push({ what: 'POST /v1/uploads', text: JSON.stringify(other), location: '' });
    const asked = { target: { class_index: 1 }, webhook: endpoint };
    const explanation = await explained(tenant.key, announced.id, asked);
    await told('again', 'POST', '/v1/explanations', {
      input: { upload: announced.id },
      method: 'grad-cam',
      ...asked,
    });
    const model = await bringModel(tenant.key);
    const { body: awaited } = await announceModel(tenant.key, { name: 'awaited' });
    answers.push({ what: 'POST /v1/models', text: JSON.stringify(awaited), location: '' });
    const items = [{ input: { upload: announced.id }, method: 'grad-cam' }, {}];
    const batch = (await call('POST', '/v1/batches', { key: tenant.key, body: { items } })).body;
    await told('render', 'POST', `/v1/explanations/${explanation.id}/render`, {
      visualization: { color_map: 'gray' },
    });
    const { body: delivered } = await vi.waitFor(async () => {
      await runDurableObjectAlarm(bindings.WEBHOOK_DELIVERIES.getByName(endpoint));
      const list = await call('GET', `/v1/webhook_endpoints/${endpoint}/deliveries`, { key: tenant.key });
      expect(list.body.data[0]?.status).toBe('delivered');
      return list;
    });
    const receiver = (bindings as unknown as { RECEIVER_URL: string }).RECEIVER_URL;
    const hook = await (await fetch(`${receiver}/seen/${tenant.id}`)).text();
    expect(hook).toContain(explanation.id);
    answers.push({ what: 'webhook', text: hook, location: '' });
    const ids: Record<string, string> = {
      uploads: announced.id,
      explanations: explanation.id,
      models: model.id,
      batches: batch.id,
      webhook_endpoints: endpoint,
      keys: `key_${tenant.key.split('_')[2]}`,
    };
    // What can be read, then what goes wrong, of every route that there is.
    const paths = Object.entries(app.getOpenAPI31Document(document).paths ?? {});
    for (const [path, item] of paths)
      for (const [method, { requestBody }] of Object.entries(
        item as Record<string, { requestBody?: object }>,
      )) {
        if (path.startsWith('/docs') || path.startsWith('/v1/operator')) continue;
        const collection = path.split('/')[2] ?? '';
        const filled = path
          .replace(
            '{id}',
            method === 'get'
              ? (ids[collection] ?? 'none')
              : newId('upl').replace('upl', (ids[collection] ?? 'upl').slice(0, 3)),
          )
          .replace('{name}', 'overlay.png')
          .replace('{delivery}', delivered.data[0].id)
          .replace(/\{\w+\}/g, 'none');
        await told(`${method} ${path}`, method.toUpperCase(), filled, requestBody ? {} : undefined);
      }
    for (const name of ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'])
      await told(name, 'GET', `/v1/explanations/${explanation.id}/artifacts/${name}`);
  });

  /** Objects whose signed URLs the answers hold. */
  const shown = (): Map<string, string> => {
    const urls = answers.flatMap(({ what, text, location }) => {
      const inText = (text.match(/https?:[^"\s]*X-Amz-Signature=[^"\s]*/g) ?? []).map(
        (url) => JSON.parse(`"${url}"`) as string,
      );
      return [...inText, ...(location.includes('X-Amz-Signature') ? [location] : [])].map(
        (url) => [what, url] as const,
      );
    });
    const prefix = new URL(`${bindings.S3_ENDPOINT}/${bindings.S3_BUCKET}/`).pathname;
    return new Map(
      urls.map(([what, url]) => [decodeURIComponent(new URL(url).pathname).replace(prefix, ''), what]),
    );
  };

  test('L2: an answer names an object only in the signed URL of that object', async () => {
    const names = await objectsOf(tenant.id);
    expect(names.length).toBeGreaterThanOrEqual(6);
    for (const { what, text, location } of answers) {
      const unsigned = text.replace(/https?:[^"\s]*X-Amz-Signature=[^"\s]*/g, '');
      const plain = location.includes('X-Amz-Signature') ? '' : location;
      for (const name of names) expect([what, `${unsigned} ${plain}`.includes(name)]).toEqual([what, false]);
      expect([what, /\bt\/ten_|\/[umx]\/[0-9A-Z]{26}/.test(`${unsigned} ${plain}`)]).toEqual([what, false]);
    }
    expect(shown().size).toBeGreaterThanOrEqual(6);
  });

  test('L2: no object has a name that can be put together from what the answers say', async () => {
    const names = new Set(await objectsOf(tenant.id));
    const words = new Set(
      answers
        .flatMap(({ text }) => text.match(/[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{64}/g) ?? [])
        .concat(tenant.id),
    );
    const codes = [...shown().keys()].flatMap((name) => name.match(/-[0-9a-f]{32}/g) ?? []);
    expect([words.size > 10, codes.length >= 5]).toEqual([true, true]);
    const artifacts = ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'];
    const made: string[] = [];
    for (const word of words)
      for (const code of ['', ...codes]) {
        for (const kind of ['u', 'm', 'x']) made.push(`t/${tenant.id}/${kind}/${word}${code}`);
        for (const attempt of [1, 2])
          for (const artifact of artifacts)
            made.push(`t/${tenant.id}/x/${word}${code}/${attempt}/${artifact}`);
      }
    // Who has the URL of one artifact knows where those of the same result are, and may read them too.
    const folder = (name: string) => name.split('/').slice(0, 4).join('/');
    const known = new Set([...shown().keys()].map(folder));
    const found = made.filter((name) => names.has(name) && !known.has(folder(name)));
    expect(found).toEqual([]);
    expect(textsIn(answers).length).toBeGreaterThan(0);
  });
});

describe('names are secret, and stay where they are', () => {
  test('they depend on the secret, on whose they are, and on what they name', async () => {
    const [one, other] = ['a', 'b'].map(
      (secret) => new ObjectNames({ S3_SECRET_ACCESS_KEY: secret.repeat(32) }),
    );
    const ids = [newId('upl'), newId('upl')] as const;
    const all = await Promise.all([
      one!.upload('ten_1', ids[0]),
      one!.upload('ten_1', ids[1]),
      one!.upload('ten_2', ids[0]),
      one!.model('ten_1', ids[0].replace('upl', 'mdl')),
      one!.results('ten_1', 'f'.repeat(64)),
      other!.upload('ten_1', ids[0]),
      other!.results('ten_1', 'f'.repeat(64)),
    ]);
    const codes = all.map((name) => /-([0-9a-f]{32})\/?$/.exec(name)![1]);
    expect(new Set(codes).size).toBe(all.length);
    expect(await one!.upload('ten_1', ids[0])).toBe(all[0]);
  });

  test('with another secret what there is can be read, explained, drawn and deleted', async () => {
    const { key } = await newTenant();
    const upload = await uploaded(key);
    const explanation = await explained(key, upload.id);
    const model = await bringModel(key);
    const names = vi
      .spyOn(ObjectNames.prototype, 'results')
      .mockImplementation(async (_, cacheKey) => `t/other/x/${cacheKey}/`);
    const uploads = vi
      .spyOn(ObjectNames.prototype, 'upload')
      .mockImplementation(async (_, id) => `t/other/u/${id}`);
    try {
      expect((await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status).toBe('ready');
      const again = await explain(key, { input: { upload: upload.id } });
      expect(again.body.cache.status).toBe('hit');
      const overlay = await call('GET', `/v1/explanations/${explanation.id}/artifacts/overlay.png`, { key });
      expect((await fetch(overlay.headers.get('Location')!)).status).toBe(200);
      expect((await explain(key, { input: { upload: upload.id }, model: model.id })).status).toBe(202);
      for (const path of [`explanations/${explanation.id}`, `uploads/${upload.id}`, `models/${model.id}`])
        expect((await call('DELETE', `/v1/${path}`, { key })).status).toBe(204);
    } finally {
      names.mockRestore();
      uploads.mockRestore();
    }
  });
});

/** As the release before this one wrote them: without a code in any name. */
describe('objects of earlier releases', () => {
  async function oldUpload(tenant: string, bytes: Uint8Array<ArrayBuffer>, age = 0) {
    const id = newId('upl');
    const row = {
      ...{ id, tenant, object: `t/${tenant}/u/${ulidOf(id)}`, content_type: 'image/png' },
      ...{ content_length: bytes.length, sha256: await sha256Hex(bytes) },
      created_at: new Date(Date.now() - age).toISOString(),
    };
    await bindings.DB.prepare(
      'INSERT INTO uploads (id, tenant, object, content_type, content_length, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
      .bind(...Object.values(row))
      .run();
    return row;
  }

  test('a photo can be found, explained and deleted', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = photo();
    const row = await oldUpload(tenant, bytes, 600_000);
    expect((await call('GET', `/v1/uploads/${row.id}`, { key })).body.status).toBe('expired');
    await objects.put(row.object, bytes, 'image/png');
    expect((await call('GET', `/v1/uploads/${row.id}`, { key })).body.status).toBe('ready');
    const announced = await call('POST', '/v1/uploads', {
      key,
      body: { content_type: 'image/png', content_length: bytes.length, sha256: row.sha256 },
    });
    expect([announced.status, announced.body.id]).toEqual([200, row.id]);
    const { body } = await explain(key, { input: { upload: row.id } });
    const [job] = await jobsTaken(cacheKeyOf(body));
    expect(job!.input.object).toBe(row.object);
    expect((await call('DELETE', `/v1/uploads/${row.id}`, { key })).status).toBe(204);
    expect(await objects.head(row.object)).toBeNull();
  });

  test('a photo that came otherwise than announced is deleted', async () => {
    const { id: tenant, key } = await newTenant();
    // Somebody uploads, so that the cleanup of the tenant runs.
    await uploaded(key);
    const row = await oldUpload(tenant, photo(), 2 * 24 * 3_600_000);
    await objects.put(row.object, photo().slice(0, 9), 'image/png');
    const cleanup = bindings.TENANT_CLEANUP.getByName(tenant);
    await runInDurableObject(cleanup, (_, { storage }) => storage.setAlarm(Date.now()));
    await runDurableObjectAlarm(cleanup);
    expect(await objects.head(row.object)).toBeNull();
    expect(
      await bindings.DB.prepare('SELECT swept FROM uploads WHERE id = ?').bind(row.id).first('swept'),
    ).toBe('rejected');
  });

  test('a model that was awaited is completed under its name, and deleted there', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = photo();
    const { body: announced } = await announceModel(key, {}, bytes);
    const object = `t/${tenant}/m/${ulidOf(announced.id)}`;
    await bindings.DB.prepare('UPDATE models SET object = ?, upload_id = NULL WHERE id = ?')
      .bind(object, announced.id)
      .run();
    const { body: model } = await announceModel(key, {}, bytes);
    const body = { parts: await putParts(model, bytes) };
    const ready = await call<Model>('POST', model.urls.complete!, {
      key,
      body,
      headers: { Prefer: 'wait=20' },
    });
    expect([ready.body.id, ready.body.status]).toEqual([announced.id, 'ready']);
    expect(await objects.head(object)).not.toBeNull();
    expect((await call('DELETE', `/v1/models/${model.id}`, { key })).status).toBe(204);
    expect(await objects.head(object)).toBeNull();
  });

  test('a result is answered from the cache, read, drawn and deleted with all its pictures', async () => {
    const { id: tenant, key } = await newTenant();
    const upload = await uploaded(key);
    const made = await explained(key, upload.id);
    const cacheKey = cacheKeyOf(made);
    // The run as that release has stored it: neither its submission nor its artifacts know of a code.
    const prefix = `t/${tenant}/x/${cacheKey}/1/`;
    const old = await Promise.all(
      ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'].map(async (name) => {
        await write(prefix + name, name);
        return { object: prefix + name, sha256: await sha256Hex(name) };
      }),
    );
    const computation = bindings.COMPUTATION.getByName(cacheKey);
    await runInDurableObject(computation, async (_, { storage }) => {
      const { claims: _claims, ...run } = (await storage.get<Record<string, unknown>>('run/1'))!;
      const { results, ...submission } = run.submission as Record<string, unknown>;
      expect(results).toMatch(/-[0-9a-f]{32}\/$/);
      const artifacts = (run.artifacts as { object: string }[]).map((artifact, i) => ({
        ...artifact,
        ...old[i],
      }));
      await storage.put('run/1', { ...run, submission, artifacts });
      await storage.delete('retention');
    });
    await evictDurableObject(computation);
    const again = await explain(key, { input: { upload: upload.id } });
    expect([again.body.status, again.body.cache.status]).toEqual(['succeeded', 'hit']);
    const overlay = await call('GET', `/v1/explanations/${made.id}/artifacts/overlay.png`, { key });
    expect(new URL(overlay.headers.get('Location')!).pathname).toContain(`${prefix}overlay.png`);
    expect(await (await fetch(overlay.headers.get('Location')!)).text()).toBe('overlay.png');
    const style = { visualization: { color_map: 'gray' } };
    expect((await call('POST', `/v1/explanations/${made.id}/render`, { key, body: style })).status).toBe(200);
    expect((await call('DELETE', `/v1/explanations/${made.id}`, { key })).status).toBe(204);
    await runDurableObjectAlarm(computation);
    for (const { object } of old) expect(await objects.head(object)).toBeNull();
  });
});
