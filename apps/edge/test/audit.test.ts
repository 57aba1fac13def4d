import type { AuditEvent } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import { newId } from '../src/domain/ulid.ts';
import { call, explain, newKey, newTenant, uploaded } from './gateway.ts';
import { operatorKey } from './secrets.ts';

const trail = async (key: string): Promise<AuditEvent[]> =>
  (await call('GET', '/v1/audit_events?limit=100', { key })).body.data;
const idOf = (key: string): string => `key_${key.split('_')[2]}`;

describe('the audit trail', () => {
  test('A13: every change is in it, with the key that made it, what it was made to, and how it ended', async () => {
    const { id, key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const explanation = (await explain(key, { input: { upload } })).body.id;
    const child = await newKey(key, {});
    const rotated = (await call('POST', `/v1/keys/${idOf(child)}/rotate`, { key, body: {} })).body.secret;
    const asked: [string, string, string?][] = [
      ['POST', `/v1/explanations/${explanation}/cancel`],
      ['DELETE', `/v1/explanations/${explanation}`],
      ['DELETE', `/v1/uploads/${upload}`],
      ['DELETE', `/v1/keys/${idOf(child)}`],
    ];
    for (const [method, path] of asked) expect((await call(method, path, { key })).status).toBeLessThan(300);
    const limits = `/v1/operator/tenants/${id}/limits`;
    await call('PUT', limits, { key: operatorKey, body: { concurrency: 2 } });

    const events = await trail(key);
    const me = idOf(key);
    expect(events.map(({ actor, action, subject }) => [actor, action, subject]).reverse()).toEqual([
      ['operator', 'POST /v1/operator/tenants', id],
      [me, 'POST /v1/uploads', upload],
      [me, 'POST /v1/explanations', explanation],
      [me, 'POST /v1/keys', idOf(child)],
      [me, 'POST /v1/keys/{id}/rotate', idOf(child)],
      [me, 'POST /v1/explanations/{id}/cancel', explanation],
      [me, 'DELETE /v1/explanations/{id}', explanation],
      [me, 'DELETE /v1/uploads/{id}', upload],
      [me, 'DELETE /v1/keys/{id}', idOf(child)],
      ['operator', 'PUT /v1/operator/tenants/{id}/limits', id],
    ]);
    expect(new Set(events.map(({ outcome }) => outcome))).toEqual(new Set(['done']));
    for (const secret of [key, child, rotated])
      expect(JSON.stringify(events)).not.toContain(secret.split('_')[3]);
  });

  test('A13: so is what was denied, also reading that only an administrator may', async () => {
    const { key } = await newTenant();
    const weak = await newKey(key, { scopes: ['uploads:read'] });
    await call('GET', '/v1/keys', { key: weak });
    await call('POST', '/v1/keys', { key: weak, body: {} });
    await call('DELETE', `/v1/keys/${newId('key')}`, { key });
    await call('GET', '/v1/explanations', { key });
    const [missing, second, first, ...before] = await trail(key);
    expect(first).toMatchObject({ actor: idOf(weak), action: 'GET /v1/keys', outcome: 'insufficient_scope' });
    expect(second).toMatchObject({
      actor: idOf(weak),
      action: 'POST /v1/keys',
      outcome: 'insufficient_scope',
    });
    expect(missing).toMatchObject({ actor: idOf(key), outcome: 'resource_not_found' });
    expect(before).toHaveLength(2);
  });

  test('A13: it is for those with its scope, of the tenant that it is about', async () => {
    const [{ key }, other] = [await newTenant(), await newTenant()];
    const weak = await newKey(key, { scopes: ['admin:keys'] });
    expect((await call('GET', '/v1/audit_events', { key: weak })).status).toBe(403);
    const theirs = await trail(other.key);
    expect(theirs.map(({ subject }) => subject)).toEqual([other.id]);
  });
});
