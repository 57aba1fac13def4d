import { builtIn, type Explainable, explainable, isCurrent, type ModelRow } from '../domain/model.ts';
import { findModel, noSuchModel } from '../domain/question.ts';
import { Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import type { Services } from '../services.ts';
import { awaitCatalog } from './await-catalog.ts';

/**
 * Finds the model that a request names by id, name or `name@sha256:…`, or the default. A tenant's own model takes
 * precedence over a model of the service with the same name.
 *
 * @throws Refusal `resource_not_found`, `model_not_ready`, `capacity` if no worker has told its models yet, or why the model was rejected
 */
export async function chooseModel(
  services: Services,
  tenant: string,
  reference: string | undefined,
): Promise<Explainable> {
  const own = await chooseOwnModel(services, tenant, reference);
  if (own) return own;
  const catalog = await awaitCatalog(services, 'models', 0);
  const model = findModel(reference, catalog);
  if (model) return builtIn(model);
  const names = await services.models.names(tenant);
  throw noSuchModel(reference ?? '', [...names, ...catalog.models.map(({ name }) => name)]);
}

/**
 * Finds the tenant's own model that a request names; null if the request means a model of the service.
 *
 * @throws Refusal `model_not_ready`, or why the model was rejected
 */
export async function chooseOwnModel(
  services: Services,
  tenant: string,
  reference: string | undefined,
): Promise<Explainable | null> {
  const row = reference === undefined ? null : await findReferenced(services, tenant, reference);
  if (!row) return null;
  const ready = checkReady(row);
  if (row.facts && !isCurrent(row.facts)) await services.modelValidation(row.id).repeat(tenant, row.id);
  return ready;
}

async function findReferenced(
  { models }: Services,
  tenant: string,
  reference: string,
): Promise<ModelRow | null> {
  if (isId('mdl', reference)) return models.find(tenant, reference);
  const [name = '', digest] = reference.split('@', 2);
  return models.findNamed(tenant, name, digest?.replace(/^sha256:/, '') ?? null);
}

function checkReady(row: ModelRow): Explainable {
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
