import { createHash } from 'node:crypto';
import { resize } from '@whylight/core/image';
import { encodePng } from '@whylight/host';
import { draw } from '../../models/shapes/draw.ts';
import { call } from './calls.ts';
import type { ChaosService } from './chaos-service.ts';

export interface Photo {
  readonly sha256: string;
  readonly upload: string;
}

export interface Tenant {
  readonly id: string;
  readonly key: string;
  /** Side of its photos in pixels: no other tenant has the same side. */
  readonly side: number;
  readonly photos: readonly Photo[];
}

/** Creates tenants with limits that no test reaches, each with photos of its own size. */
export async function newTenants(
  { url, operatorKey }: Pick<ChaosService, 'url' | 'operatorKey'>,
  count: number,
  photos: number,
): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (let n = 0; n < count; n++) {
    const made = await call(`${url}/v1/operator/tenants`, operatorKey, {
      method: 'POST',
      body: { name: `chaos ${n}` },
    });
    const { id, key } = made.body;
    await call(`${url}/v1/operator/tenants/${id}/limits`, operatorKey, {
      method: 'PUT',
      body: { requests: 1_000_000, concurrency: 10_000, compute_units: 100_000_000 },
    });
    const side = 96 + 8 * n;
    const uploaded: Photo[] = [];
    for (let i = 0; i < photos; i++) uploaded.push(await upload(url, key.secret, side, i));
    tenants.push({ id, key: key.secret, side, photos: uploaded });
  }
  return tenants;
}

async function upload(url: string, key: string, side: number, seed: number): Promise<Photo> {
  const png = await encodePng(resize(draw(seed).picture, side, side, 'bicubic'));
  const sha256 = createHash('sha256').update(png).digest('hex');
  const announced = await call(`${url}/v1/uploads`, key, {
    method: 'POST',
    body: { content_type: 'image/png', content_length: png.length, sha256 },
  });
  const { 'content-length': _, ...headers } = announced.body.upload.headers;
  const put = await fetch(announced.body.upload.url, { method: 'PUT', headers, body: png });
  if (!put.ok) throw new Error(`PUT ${put.status}`);
  return { sha256, upload: announced.body.id };
}
