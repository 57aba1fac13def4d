import { type Upload, uploadLimits, uploadRequestSchema, uploadSchema } from '@whylight/contract';
import { photoType } from '../domain/photo-type.ts';
import { Refusal } from '../domain/refusal.ts';
import { urlLifetime } from '../domain/signed-links.ts';
import { boundHeaders } from '../domain/upload.ts';
import { deleted, json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import type { UploadRow } from '../storage/uploads.ts';
import { eraseUpload, findReady, findUpload, statusOf } from '../use-cases/arrivals.ts';

export const uploads = routes('uploads');

uploads.route('POST', '/v1/uploads', {
  id: 'uploads.create',
  access: 'uploads:write',
  refuses: ['upload_type_conflict', 'storage_unavailable'],
  summary: 'Announce a photo, and get a signed URL for it',
  body: uploadRequestSchema,
  responses: {
    201: json(uploadSchema, 'PUT the bytes to `upload.url` with `upload.headers`'),
    200: json(uploadSchema, 'The service has these bytes already'),
  },
  handler: async ({ tenant, services, body }, c) => {
    const content_type = photoType(body.content_type);
    if (body.content_length > uploadLimits.max_bytes)
      throw new Refusal('payload_too_large', `A photo is at most ${uploadLimits.max_bytes} bytes.`, [
        { pointer: '/content_length', code: 'too_big', message: `At most ${uploadLimits.max_bytes}.` },
      ]);
    const ready = await findReady(services, tenant, body.sha256);
    if (ready && ready.content_type !== content_type)
      throw new Refusal(
        'upload_type_conflict',
        `The service has these bytes as ${ready.content_type}, in the upload ${ready.id}. Announce that type, or delete that upload first.`,
        [
          {
            pointer: '/content_type',
            code: 'upload_type_conflict',
            message: `Expected ${ready.content_type}.`,
          },
        ],
      );
    if (ready) return { status: 200, body: present(ready, 'ready', null) };
    const row = await services.uploads.create(tenant, { ...body, content_type });
    c.set('subject', row.id);
    await services.tenantCleanup(tenant).schedule(tenant);
    const headers = boundHeaders(row);
    const upload = {
      method: 'PUT' as const,
      url: await services.objects.signedPut(row.object, headers),
      headers,
      expires_at: new Date(Date.parse(row.created_at) + urlLifetime * 1000).toISOString(),
    };
    return { status: 201, body: present(row, 'pending', upload) };
  },
});

uploads.route('GET', '/v1/uploads/{id}', {
  id: 'uploads.get',
  access: 'uploads:read',
  refuses: ['storage_unavailable'],
  summary: 'Get an upload, and whether its bytes have arrived',
  responses: { 200: json(uploadSchema, 'The body is the upload') },
  handler: async ({ tenant, services, params }) => {
    const row = await findUpload(services, tenant, params.id);
    return { status: 200, body: present(row, await statusOf(services.objects, row), null) };
  },
});

uploads.route('DELETE', '/v1/uploads/{id}', {
  id: 'uploads.delete',
  access: 'uploads:write',
  refuses: ['storage_unavailable'],
  summary: 'Delete a photo; its explanations stay until you delete them',
  responses: deleted,
  handler: async ({ tenant, services, params }) => {
    await eraseUpload(services, await findUpload(services, tenant, params.id));
    return { status: 204 };
  },
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
