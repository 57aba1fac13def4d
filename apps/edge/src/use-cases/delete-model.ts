import { Refusal } from '../domain/refusal.ts';
import type { Services } from '../services.ts';
import { findOwnModel } from './find-own-model.ts';

/** Deletes a model for good; its explanations stay. */
export async function deleteModel(services: Services, tenant: string, id: string): Promise<void> {
  const { objects, models, modelValidation } = services;
  const row = await findOwnModel(services, tenant, id);
  if (row.upload_id !== null) await objects.dropParts(row.object, row.upload_id);
  if (!(await objects.delete(row.object)))
    throw new Refusal('storage_unavailable', 'The object store does not answer. Try again.');
  await models.delete(tenant, row.id);
  await modelValidation(row.id).forget();
}
