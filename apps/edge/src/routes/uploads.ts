import { createRoute, z } from '@hono/zod-openapi';
import { type Upload, uploadLimits, uploadRequestSchema, uploadSchema } from '@whylight/contract';
import { Refusal } from '../domain/refusal.ts';
import { boundHeaders, isUploadType } from '../domain/upload.ts';
import { body, declined, json, routes, tenantAction, tenantRoute } from '../openapi.ts';
import { urlLifetime } from '../storage/objects.ts';
import type { UploadRow } from '../storage/uploads.ts';
import { eraseUpload, findReady, findUpload, statusOf } from '../use-cases/arrivals.ts';

const tags = ['uploads'];

const create = createRoute({
  ...tenantRoute('uploads:write'),
  method: 'post',
  path: '/v1/uploads',
  tags,
  summary: 'Announce a photo, and get a signed URL for it',
  request: body(uploadRequestSchema),
  responses: {
    201: json(uploadSchema, 'PUT the bytes to `upload.url` with `upload.headers`'),
    200: json(uploadSchema, 'The service has these bytes already'),
    ...declined,
  },
});

const get = createRoute({
  ...tenantRoute('uploads:read'),
  method: 'get',
  path: '/v1/uploads/{id}',
  tags,
  summary: 'Get an upload: have its bytes arrived?',
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: json(uploadSchema, 'The upload'), ...declined },
});

const remove = createRoute({
  ...tenantAction('uploads:write'),
  method: 'delete',
  path: '/v1/uploads/{id}',
  tags,
  summary: 'Delete a photo; its explanations stay until you delete them',
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'Deleted' }, ...declined },
});

export const uploads = routes()
  .openapi(create, async (c) => {
    const { caller, services } = c.var;
    const asked = c.req.valid('json');
    if (!isUploadType(asked.content_type))
      throw new Refusal('unsupported_media_type', `Expected ${uploadLimits.types.join(', ')}.`, [
        { pointer: '/content_type', code: 'unsupported_media_type', message: 'This type is not accepted.' },
      ]);
    if (asked.content_length > uploadLimits.max_bytes)
      throw new Refusal('payload_too_large', `A photo is at most ${uploadLimits.max_bytes} bytes.`, [
        { pointer: '/content_length', code: 'too_big', message: `At most ${uploadLimits.max_bytes}.` },
      ]);
    const ready = await findReady(services, caller.tenant, asked.sha256);
    if (ready) return c.json(present(ready, 'ready', null), 200);
    const row = await services.uploads.create(caller.tenant, asked);
    c.set('subject', row.id);
    await services.tenantCleanup(caller.tenant).schedule(caller.tenant);
    const headers = boundHeaders(row);
    return c.json(
      present(row, 'pending', {
        method: 'PUT',
        url: await services.objects.signedPut(row.object, headers),
        headers,
        expires_at: new Date(Date.parse(row.created_at) + urlLifetime * 1000).toISOString(),
      }),
      201,
    );
  })
  .openapi(get, async (c) => {
    const { caller, services } = c.var;
    const row = await findUpload(services, caller.tenant, c.req.valid('param').id);
    return c.json(present(row, await statusOf(services.objects, row), null), 200);
  })
  .openapi(remove, async (c) => {
    const { caller, services } = c.var;
    await eraseUpload(services, await findUpload(services, caller.tenant, c.req.valid('param').id));
    return c.body(null, 204);
  });

const present = (row: UploadRow, status: Upload['status'], upload: Upload['upload']): Upload => ({
  id: row.id,
  object: 'upload',
  status,
  content_type: row.content_type,
  content_length: row.content_length,
  sha256: row.sha256,
  created_at: row.created_at,
  upload,
  limits: { ...uploadLimits, types: [...uploadLimits.types] },
});
