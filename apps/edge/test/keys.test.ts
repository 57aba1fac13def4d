import { env } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { mintKey, parseKey } from '../src/domain/api-key.ts';
import { newId } from '../src/domain/ulid.ts';
import { Tenants } from '../src/storage/tenants.ts';
import { at, bindings, call, newKey, newTenant } from './gateway.ts';
import { backlogKey, operatorKey } from './secrets.ts';

const withoutIds = (text: string): string => text.replace(/req_\w+/g, 'req_');

describe('who may come in', () => {
  test('A1: no key, a garbled one, two, or one with a wrong checksum is refused without a look-up', async () => {
    const { key } = await newTenant();
    const mistyped = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
    const cases: [string | null, string][] = [
      [null, 'missing_api_key'],
      ['Bearer', 'malformed_api_key'],
      [`Basic ${key}`, 'malformed_api_key'],
      [`Bearer ${key}, Bearer ${key}`, 'malformed_api_key'],
      [`Bearer ${mistyped}`, 'malformed_api_key'],
      [`Bearer ${'x'.repeat(5000)}`, 'malformed_api_key'],
    ];
    const prepare = vi.fn();
    for (const [authorization, code] of cases) {
      const headers = authorization === null ? {} : { Authorization: authorization };
      const response = await app.request('/v1/keys', { headers }, { ...env, DB: { prepare } } as never);
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([401, code]);
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    }
    expect(prepare).not.toHaveBeenCalled();
  });

  test('A2: an unknown, a wrong, a revoked and an expired key get the same answer', async () => {
    const { key } = await newTenant();
    const revoked = await newKey(key, {});
    // Made an hour ago: a key that has ended already is made for nobody.
    const end = new Date(Date.now() - 1000).toISOString();
    const expired = await at(-3_600_000, () => newKey(key, { expires_at: end }));
    const id = `key_${revoked.split('_')[2]}`;
    expect((await call('DELETE', `/v1/keys/${id}`, { key })).status).toBe(204);
    const unknown = mintKey(newId('key')).text;
    const wrongSecret = mintKey(id).text;
    const answers = await Promise.all(
      [unknown, wrongSecret, revoked, expired].map((k) => call('GET', '/v1/keys', { key: k })),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(new Set(answers.map(({ text }) => withoutIds(text))).size).toBe(1);
    expect(answers[0]!.body.code).toBe('invalid_api_key');
  });

  test('A16: the scaler’s key reads the backlog and opens nothing else; a tenant’s key does not read it', async () => {
    const { key } = await newTenant();
    const backlog = (k: string) => call('GET', '/internal/backlog', { key: k });
    expect([(await backlog(backlogKey)).status, (await backlog(operatorKey)).status]).toEqual([200, 200]);
    expect((await backlog(key)).status).toBe(401);
    const make = { key: backlogKey, body: { name: 'mine' } };
    expect((await call('POST', '/v1/operator/tenants', make)).status).toBe(401);
    expect((await call('GET', '/v1/keys', { key: backlogKey })).status).toBe(401);
  });

  test('A3: a key in the URL is not a key', async () => {
    const { key } = await newTenant();
    for (const name of ['key', 'api_key', 'access_token', 'Authorization'])
      expect((await call('GET', `/v1/keys?${name}=${key}`)).body.code).toBe('missing_api_key');
  });

  test('A7: a key without the scope is told which one it lacks', async () => {
    const { key } = await newTenant();
    const reader = await newKey(key, { scopes: ['uploads:read'] });
    const { status, body } = await call('GET', '/v1/explanations', { key: reader });
    expect([status, body.code]).toEqual([403, 'insufficient_scope']);
    expect(body.detail).toContain('explanations:read');
  });

  test('A8: a key passes on no scope that it lacks, and lives no longer than the key that made it', async () => {
    const { key } = await newTenant();
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const limited = await newKey(key, { scopes: ['admin:keys', 'uploads:read'], expires_at: end });
    const more = await call('POST', '/v1/keys', { key: limited, body: { scopes: ['uploads:write'] } });
    expect([more.status, more.body.code]).toEqual([403, 'insufficient_scope']);
    const longer = await call('POST', '/v1/keys', {
      key: limited,
      body: { expires_at: '2099-01-01T00:00:00Z' },
    });
    expect(longer.body).toMatchObject({ expires_at: end, scopes: ['admin:keys', 'uploads:read'] });
    const reader = await newKey(key, { scopes: ['uploads:read'] });
    expect((await call('POST', '/v1/keys', { key: reader, body: {} })).status).toBe(403);
  });

  test('A10: a revoked key is refused at once', async () => {
    const { key } = await newTenant();
    const second = await newKey(key, {});
    expect((await call('GET', '/v1/keys', { key: second })).status).toBe(200);
    await call('DELETE', `/v1/keys/key_${second.split('_')[2]}`, { key });
    expect((await call('GET', '/v1/keys', { key: second })).status).toBe(401);
    expect((await call('GET', '/v1/keys', { key })).status).toBe(200);
  });

  test('A10: an isolate that has seen a key believes it for half a minute, and no longer', async () => {
    const { key } = await newTenant();
    const second = parseKey(await newKey(key, {}))!;
    const elsewhere = new Tenants(bindings.DB);
    expect(await elsewhere.authenticate(second)).not.toBeNull();
    await call('DELETE', `/v1/keys/${second.id}`, { key });
    expect(await elsewhere.authenticate({ ...second, secret: 'x'.repeat(32) })).toBeNull();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    expect(await elsewhere.authenticate(second)).toBeNull();
    vi.useRealTimers();
  });

  test('A14: of a key nothing is stored or shown again that would open anything', async () => {
    const { key } = await newTenant();
    const secret = key.split('_')[3]!;
    expect((await call('GET', '/v1/keys', { key })).text).not.toContain(secret);
    const { results } = await bindings.DB.prepare('SELECT * FROM keys').all();
    expect(results.length).toBeGreaterThan(0);
    expect(JSON.stringify(results)).not.toContain(secret);
  });

  test('A16: a tenant has no way into the operator’s routes, nor the operator into a tenant’s', async () => {
    const { id, key } = await newTenant();
    for (const path of ['/v1/operator/tenants', `/v1/operator/tenants/${id}/keys`])
      expect((await call('POST', path, { key, body: { name: 'x' } })).status).toBe(401);
    expect((await call('GET', '/internal/backlog', { key })).status).toBe(401);
    expect((await call('GET', '/v1/keys', { key: operatorKey })).status).toBe(401);
  });

  test('the operator gives a key to a tenant that has lost its own, and to no other', async () => {
    const { id } = await newTenant();
    const made = await call('POST', `/v1/operator/tenants/${id}/keys`, { key: operatorKey, body: {} });
    expect(made.status).toBe(201);
    expect((await call('GET', '/v1/keys', { key: made.body.secret })).body.data).toHaveLength(2);
    const nobody = `/v1/operator/tenants/${newId('ten')}/keys`;
    expect((await call('POST', nobody, { key: operatorKey, body: {} })).status).toBe(404);
  });

  test('J9: pages of keys do not shift when keys are added, and a forged cursor is refused', async () => {
    const { key } = await newTenant();
    for (let i = 0; i < 4; i++) await newKey(key, { name: `k${i}` });
    const first = await call('GET', '/v1/keys?limit=2', { key });
    expect(first.body).toMatchObject({ has_more: true, next_cursor: first.body.data[1].id });
    await newKey(key, { name: 'late' });
    const next = await call('GET', `/v1/keys?limit=2&starting_after=${first.body.next_cursor}`, { key });
    const last = await call('GET', `/v1/keys?limit=2&starting_after=${next.body.next_cursor}`, { key });
    const ids = [first, next, last].flatMap(({ body }) => body.data.map(({ id }: { id: string }) => id));
    expect(new Set(ids).size).toBe(5);
    expect(last.body).toMatchObject({ has_more: false, next_cursor: null });
    for (const query of ['starting_after=x', 'limit=0', 'limit=101', 'limit=two'])
      expect((await call('GET', `/v1/keys?${query}`, { key })).status).toBe(400);
  });

  test('A9: a rotated key is good until the grace is over, the new one at once, and then alone', async () => {
    const { key } = await newTenant();
    const old = await newKey(key, { name: 'robot', scopes: ['admin:keys', 'uploads:read'] });
    const rotate = (secret: string, body: object) =>
      call('POST', `/v1/keys/key_${secret.split('_')[2]}/rotate`, { key, body });
    const { status, body } = await rotate(old, { grace_seconds: 3600 });
    expect([status, body.name, body.scopes]).toEqual([201, 'robot', ['admin:keys', 'uploads:read']]);
    const works = async (secret: string) => (await call('GET', '/v1/keys', { key: secret })).status;
    expect([await works(old), await works(body.secret)]).toEqual([200, 200]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 });
    const after = [await works(old), await works(body.secret)];
    vi.useRealTimers();
    expect(after).toEqual([401, 200]);
    const next = await rotate(body.secret, {});
    expect([await works(body.secret), await works(next.body.secret)]).toEqual([401, 200]);
    const again = await rotate(body.secret, {});
    expect([again.status, again.body.code]).toEqual([409, 'key_not_active']);
  });

  test('A9: grace never goes beyond the key’s own end, and the new key ends when the old one would have', async () => {
    const { key } = await newTenant();
    const end = new Date(Date.now() + 60_000).toISOString();
    const old = await newKey(key, { expires_at: end });
    const id = `key_${old.split('_')[2]}`;
    const { body } = await call('POST', `/v1/keys/${id}/rotate`, { key, body: { grace_seconds: 3600 } });
    expect(body.expires_at).toBe(end);
    const { data } = (await call('GET', '/v1/keys', { key })).body;
    expect(data.find((each: { id: string }) => each.id === id).expires_at).toBe(end);
  });

  test('A9: a rotation that does not come to its end has made no key that nobody has', async () => {
    const { key } = await newTenant();
    const old = await newKey(key, { name: 'old' });
    const listed = async () => (await call('GET', '/v1/keys', { key })).body.data.length;
    const before = await listed();
    await bindings.DB.exec(
      "CREATE TRIGGER away BEFORE UPDATE ON keys BEGIN SELECT RAISE(ABORT, 'the database is away'); END",
    );
    const path = `/v1/keys/key_${old.split('_')[2]}/rotate`;
    const failed = await call('POST', path, { key, body: {} }).finally(() =>
      bindings.DB.exec('DROP TRIGGER away'),
    );
    expect([failed.status, await listed()]).toEqual([503, before]);
  });

  test('A8: nobody rotates a key that may do more than they may', async () => {
    const { key } = await newTenant();
    const strong = await newKey(key, { scopes: ['explanations:write'] });
    const weak = await newKey(key, { scopes: ['admin:keys'] });
    const path = `/v1/keys/key_${strong.split('_')[2]}/rotate`;
    expect((await call('POST', path, { key: weak, body: {} })).status).toBe(403);
  });
});
