import { canonicalJson, type Model, type ModelRequest, sha256Hex } from '@whylight/contract';
import { type ModelRow, manifestOf, partsOf, presentModel } from '../domain/model.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { urlLifetime } from '../domain/signed-links.ts';
import { newId } from '../domain/ulid.ts';
import type { Services } from '../services.ts';

export interface Requester {
  readonly tenant: string;
  readonly requestId: string;
}

/**
 * Registers a model and signs the URLs for its file. A repeated request gets the same model: with new URLs while the
 * service waits for the file, and from the beginning if the service rejected it.
 */
export async function announceModel(
  services: Services,
  { tenant, requestId }: Requester,
  asked: ModelRequest,
): Promise<{ model: Model; isNew: boolean }> {
  const { models, modelValidation, settings, names } = services;
  const allowance = {
    bytes: settings.MODEL_MAX_BYTES,
    models: settings.TENANT_MODELS,
    total: settings.TENANT_MODEL_BYTES,
  };
  if (asked.content_length > allowance.bytes)
    throw new Refusal('model_too_large', `A model is at most ${allowance.bytes} bytes.`, [
      { pointer: '/content_length', code: 'too_big', message: `At most ${allowance.bytes}.` },
    ]);
  const { name, sha256, content_length } = asked;
  const manifest = manifestOf(asked);
  const id = newId('mdl');
  const row = await models.register(
    {
      ...{ id, tenant, name, sha256, content_length, manifest },
      manifest_sha256: await sha256Hex(canonicalJson({ content_length, manifest })),
      object: await names.model(tenant, id),
    },
    allowance,
  );
  if (!row)
    throw new Refusal(
      'model_limit_reached',
      `A tenant keeps at most ${allowance.models} models, and ${allowance.total} bytes of them. Delete one first.`,
    );
  if (row.status === 'rejected') await restart(services, row);
  const isAwaited = row.status === 'pending' || row.status === 'rejected';
  if (!isAwaited) return { model: presentModel(row), isNew: false };
  await modelValidation(row.id).awaitFile(tenant, row.id, requestId);
  const awaited: ModelRow = { ...row, status: 'pending', facts: null, error: null };
  return { model: presentModel(awaited, await signUpload(services, awaited)), isNew: row.id === id };
}

/** Restarts a rejected model: its file may have been damaged, or a later release may accept it. */
async function restart({ models, objects }: Services, { id, object }: ModelRow): Promise<void> {
  if (!(await objects.delete(object)))
    throw new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
  await models.move(id, 'rejected', 'pending');
}

/** Signs a URL for each part of the file. */
async function signUpload(
  { models, objects }: Services,
  row: ModelRow,
): Promise<NonNullable<Model['upload']>> {
  const expires = new Date(Date.now() + urlLifetime * 1000);
  let uploadId = row.status === 'pending' ? row.upload_id : null;
  if (uploadId === null) {
    const begun = await objects.beginParts(row.object);
    uploadId = await models.beginUpload(row.id, begun);
    if (uploadId !== begun) await objects.dropParts(row.object, begun);
    if (uploadId === null) throw notFound();
  }
  const signed = partsOf(row.content_length).map(async ({ part_number, offset, bytes }) => ({
    part_number,
    offset,
    bytes,
    url: await objects.signedPart(row.object, uploadId, part_number, bytes),
    headers: { 'content-length': String(bytes) },
  }));
  return { method: 'PUT', parts: await Promise.all(signed), expires_at: expires.toISOString() };
}
