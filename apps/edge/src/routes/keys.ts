import { keyListSchema, keyRequestSchema, newKeySchema, rotationRequestSchema } from '@whylight/contract';
import { checkFuture, grant } from '../domain/grant.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { answerPage, paged } from '../http/paging.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { rotateKey } from '../use-cases/rotation.ts';

export const keys = routes('keys');

keys.route('POST', '/v1/keys', {
  id: 'keys.create',
  access: 'admin:keys',
  summary: 'Create a key; it can have only scopes that your key has',
  body: keyRequestSchema,
  responses: { 201: json(newKeySchema, 'Only this answer shows the secret of the key') },
  handler: async ({ caller, services, body }, c) => {
    checkFuture(body.expires_at);
    const { key, text } = await services.tenants.createKey(caller.tenant, grant(caller, body));
    c.set('subject', key.id);
    return { status: 201, body: { ...key, secret: text } };
  },
});

keys.route('GET', '/v1/keys', {
  id: 'keys.list',
  access: 'admin:keys',
  summary: 'List keys, newest first',
  ...paged('key', keyListSchema, 'The body is a page of keys, without their secrets'),
  handler: ({ tenant, services, query }) =>
    answerPage('key', query, (limit, after) => services.tenants.keys(tenant, limit, after)),
});

keys.route('POST', '/v1/keys/{id}/rotate', {
  id: 'keys.rotate',
  access: 'admin:keys',
  refuses: ['key_not_active'],
  summary: 'Replace a key by a new one with the same scopes and expiry',
  body: rotationRequestSchema,
  responses: { 201: json(newKeySchema, 'Only this answer shows the secret of the new key') },
  handler: async ({ caller, services, params, body }) => {
    const { key, text } = await rotateKey(services.tenants, caller, params.id, body.grace_seconds);
    return { status: 201, body: { ...key, secret: text } };
  },
});

keys.route('DELETE', '/v1/keys/{id}', {
  id: 'keys.revoke',
  access: 'admin:keys',
  summary: 'Revoke a key immediately',
  responses: { 204: { description: 'The key is revoked' } },
  handler: async ({ tenant, services, params }) => {
    if (!isId('key', params.id) || !(await services.tenants.revoke(tenant, params.id))) throw notFound();
    return { status: 204 };
  },
});
