import {
  canonicalJson,
  type Model,
  type ModelRequest,
  type modelCompletionSchema,
  sha256Hex,
} from '@whylight/contract';
import type { z } from 'zod';
import {
  builtIn,
  type Explainable,
  explainable,
  isCurrent,
  type ModelRow,
  manifestOf,
  partsOf,
  presentModel,
} from '../domain/model.ts';
import { findModel, noSuchModel } from '../domain/question.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId, newId } from '../domain/ulid.ts';
import type { Services } from '../services.ts';
import { urlLifetime } from '../storage/objects.ts';

interface Caller {
  readonly tenant: string;
  readonly requestId: string;
}

/**
 * Registers a model and signs the URLs for its file. The same request again gives the same model: with new URLs while the
 * service waits for the file, and from the beginning if the service rejected it.
 */
export async function announceModel(
  services: Services,
  { tenant, requestId }: Caller,
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
      `A tenant keeps at most ${allowance.models} models, and ${allowance.total} bytes of them: delete one first.`,
    );
  if (row.status === 'rejected') await restart(services, row);
  const isAwaited = row.status === 'pending' || row.status === 'rejected';
  if (!isAwaited) return { model: presentModel(row), isNew: false };
  await modelValidation(row.id).awaitFile(tenant, row.id, requestId);
  const awaited: ModelRow = { ...row, status: 'pending', facts: null, error: null };
  return { model: presentModel(awaited, await uploadOf(services, awaited)), isNew: row.id === id };
}

/** Lets a rejected model begin again: its file may have been damaged, or a later release may accept it. */
async function restart({ models, objects }: Services, { id, object }: ModelRow): Promise<void> {
  if (!(await objects.delete(object)))
    throw new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
  await models.move(id, 'rejected', 'pending');
}

async function uploadOf({ models, objects }: Services, row: ModelRow): Promise<NonNullable<Model['upload']>> {
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
    url: await objects.signedPart(row.object, uploadId, part_number, bytes),
    headers: { 'content-length': String(bytes) },
  }));
  return { method: 'PUT', parts: await Promise.all(signed), expires_at: expires.toISOString() };
}

/** Joins the parts and has a worker validate the model; a model that was completed before stays as it is. */
export async function completeModel(
  services: Services,
  { tenant, requestId }: Caller,
  id: string,
  { parts }: z.infer<typeof modelCompletionSchema>,
): Promise<void> {
  const { objects, modelValidation } = services;
  const row = await findOwn(services, tenant, id);
  if (row.status !== 'pending') return;
  const joined = row.upload_id === null ? 'gone' : await objects.joinParts(row.object, row.upload_id, parts);
  if (joined === 'refused')
    throw new Refusal(
      'upload_mismatch',
      'The parts differ from those that have arrived. Name each part of the upload once, with the ETag of its answer.',
    );
  // An earlier request may have joined the parts and ended before it answered.
  const stored = await objects.head(row.object);
  if (!stored)
    throw new Refusal(
      'upload_not_ready',
      'The parts of this model have not arrived. PUT each part to its URL, then complete the model.',
    );
  await modelValidation(row.id).begin(tenant, row.id, requestId);
}

/** Deletes a model for good; its explanations stay. */
export async function deleteModel(services: Services, tenant: string, id: string): Promise<void> {
  const { objects, models, modelValidation } = services;
  const row = await findOwn(services, tenant, id);
  if (row.upload_id !== null) await objects.dropParts(row.object, row.upload_id);
  if (!(await objects.delete(row.object)))
    throw new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
  await models.delete(tenant, row.id);
  await modelValidation(row.id).forget();
}

/** @throws Refusal `resource_not_found`, also if the model is another tenant's */
export async function findOwn({ models }: Services, tenant: string, id: string): Promise<ModelRow> {
  const row = isId('mdl', id) ? await models.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}

/**
 * The model that a request names by id, name or `name@sha256:…`, or the default. A tenant's own model takes precedence over
 * a model of the service with the same name.
 *
 * @throws Refusal `resource_not_found`, `model_not_ready`, or why the model was rejected
 */
export async function chooseModel(
  services: Services,
  tenant: string,
  reference: string | undefined,
): Promise<Explainable> {
  const row = reference === undefined ? null : await findReferred(services, tenant, reference);
  if (row) {
    const ready = readyOf(row);
    if (row.facts && !isCurrent(row.facts)) await services.modelValidation(row.id).repeat(tenant, row.id);
    return ready;
  }
  const catalog = await services.catalogs.get();
  const model = findModel(reference, catalog);
  if (model) return builtIn(model);
  const own = await services.models.names(tenant);
  throw noSuchModel(reference ?? '', [...own, ...catalog.models.map(({ name }) => name)]);
}

async function findReferred(
  { models }: Services,
  tenant: string,
  reference: string,
): Promise<ModelRow | null> {
  if (isId('mdl', reference)) return models.find(tenant, reference);
  const [name = '', digest] = reference.split('@', 2);
  return models.findNamed(tenant, name, digest?.replace(/^sha256:/, '') ?? null);
}

function readyOf(row: ModelRow): Explainable {
  const ready = row.status === 'ready' ? explainable(row) : null;
  if (ready) return ready;
  const { error, name } = row;
  if (error && error.code !== 'worker_unreachable')
    throw new Refusal(error.code, `${name}: ${error.message}`);
  throw new Refusal(
    'model_not_ready',
    `The model ${name} is ${row.status}. GET /v1/models/${row.id} says more.`,
  );
}
