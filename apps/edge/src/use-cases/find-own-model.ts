import type { ModelRow } from '../domain/model.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import type { Services } from '../services.ts';

/** @throws Refusal `resource_not_found`, also if the model is another tenant's */
export async function findOwnModel({ models }: Services, tenant: string, id: string): Promise<ModelRow> {
  const row = isId('mdl', id) ? await models.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}
