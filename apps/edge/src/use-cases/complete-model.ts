import type { modelCompletionSchema } from '@whylight/contract';
import type { z } from 'zod';
import { Refusal } from '../domain/refusal.ts';
import type { Services } from '../services.ts';
import type { Requester } from './announce-model.ts';
import { findOwnModel } from './find-own-model.ts';

/** Joins the parts and has a worker validate the model; a model that was completed before stays as it is. */
export async function completeModel(
  services: Services,
  { tenant, requestId }: Requester,
  id: string,
  { parts }: z.infer<typeof modelCompletionSchema>,
): Promise<void> {
  const { objects, modelValidation } = services;
  const row = await findOwnModel(services, tenant, id);
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
