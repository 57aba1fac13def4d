import { z } from '@hono/zod-openapi';
import { modelCompletionSchema, modelListSchema, modelRequestSchema, modelSchema } from '@whylight/contract';
import { presentBuiltIn, presentModel, sourceOf } from '../domain/model.ts';
import { longestWait, preferredWait } from '../domain/prefer.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { answerPage, paged } from '../http/paging.ts';
import { wholeNumber } from '../http/query.ts';
import { deleted, json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { announceModel } from '../use-cases/announce-model.ts';
import { awaitCatalog } from '../use-cases/await-catalog.ts';
import { completeModel } from '../use-cases/complete-model.ts';
import { deleteModel } from '../use-cases/delete-model.ts';
import { findOwnModel } from '../use-cases/find-own-model.ts';
import { warmModel } from '../use-cases/warm-model.ts';

export const modelRoutes = routes('models');

const completed = ['Location', 'Preference-Applied'] as const;

modelRoutes.route('POST', '/v1/models', {
  id: 'models.create',
  access: 'models:write',
  refuses: ['model_too_large', 'model_limit_reached', 'storage_unavailable'],
  summary: 'Announce the ONNX file of your own model, and get signed URLs for it',
  body: modelRequestSchema,
  // Thousands of class names need more room than other bodies.
  readBody: jsonBody(262_144),
  responses: {
    201: json(modelSchema, 'PUT the file to the URLs of `upload.parts`, then POST to `complete`', [
      'Location',
    ]),
    200: json(
      modelSchema,
      'The model exists under this id; `upload` is present while the service waits for the file',
      ['Location'],
    ),
  },
  handler: async ({ tenant, services, requestId, body }, c) => {
    const { model, isNew } = await announceModel(services, { tenant, requestId }, body);
    c.set('subject', model.id);
    return { status: isNew ? 201 : 200, headers: { Location: model.urls.self }, body: model };
  },
});

modelRoutes.route('POST', '/v1/models/{id}/complete', {
  id: 'models.complete',
  access: 'models:write',
  refuses: ['upload_mismatch', 'upload_not_ready', 'storage_unavailable'],
  summary: 'Complete the upload of a model, and have a worker validate it',
  headers: {
    prefer:
      '`wait=n`: the service answers when the validation has ended, or after n seconds; n is at most 60',
  },
  body: modelCompletionSchema,
  responses: {
    200: json(modelSchema, 'The validation has ended: `ready`, or `rejected` with its `error`', completed),
    202: json(modelSchema, 'The validation is under way; ask again at `Location`', completed),
  },
  handler: async ({ tenant, services, requestId, params: { id }, headers, body }) => {
    await completeModel(services, { tenant, requestId }, id, body);
    const wait = preferredWait(headers.prefer);
    if (wait) await services.modelValidation(id).waitUntilDone(wait);
    const row = await findOwnModel(services, tenant, id);
    return {
      status: row.status === 'validating' ? 202 : 200,
      headers: {
        Location: `/v1/models/${id}`,
        ...(wait === null ? {} : { 'Preference-Applied': `wait=${wait}` }),
      },
      body: presentModel(row),
    };
  },
});

modelRoutes.route('GET', '/v1/models', {
  id: 'models.list',
  access: 'models:read',
  summary:
    'List models; the first page begins with those of the service, once a worker has told which it has, and yours follow, newest first',
  ...paged('mdl', modelListSchema, 'The body is a page of models'),
  handler: async ({ tenant, services, query }) => {
    const { status, body } = await answerPage(
      'mdl',
      query,
      (limit, after) => services.models.list(tenant, limit, after),
      (row) => presentModel(row),
    );
    const builtIn = query.starting_after
      ? []
      : ((await services.catalogs.find())?.models ?? []).map(presentBuiltIn);
    return { status, body: { ...body, data: [...builtIn, ...body.data] } };
  },
});

modelRoutes.route('GET', '/v1/models/{id}', {
  id: 'models.get',
  access: 'models:read',
  summary: 'Get a model with its report, or wait until its validation has ended',
  query: z.object({ wait: wholeNumber(0, longestWait, 0).describe('Seconds to wait for the end') }),
  responses: { 200: json(modelSchema, 'The body is the model in its present state') },
  handler: async ({ tenant, services, params: { id }, query: { wait } }) => {
    if (!isId('mdl', id)) {
      const model = (await awaitCatalog(services, 'models', 0)).models.find(({ name }) => name === id);
      if (!model) throw notFound();
      return { status: 200, body: presentBuiltIn(model) };
    }
    const row = await findOwnModel(services, tenant, id);
    if (row.status !== 'validating' || wait === 0) return { status: 200, body: presentModel(row) };
    await services.modelValidation(id).waitUntilDone(wait);
    return { status: 200, body: presentModel(await findOwnModel(services, tenant, id)) };
  },
});

modelRoutes.route('POST', '/v1/models/{id}/warm', {
  id: 'models.warm',
  access: 'models:write',
  refuses: ['model_not_ready'],
  summary: 'Have the workers load the model now, so that the next explanation does not wait for it',
  responses: { 202: json(modelSchema, 'The workers are loading the model') },
  handler: async ({ tenant, services, requestId, params }) => {
    const row = await findOwnModel(services, tenant, params.id);
    if (row.status !== 'ready') throw new Refusal('model_not_ready', `The model is ${row.status}.`);
    const isWarming = await warmModel(services, sourceOf(row), requestId);
    // Who is told to try again counts meanwhile, so that a scaler starts a worker.
    await (isWarming ? services.backlog.leave('warm-up', row.id) : services.backlog.enter('warm-up', row.id));
    if (!isWarming) throw new Refusal('capacity', 'No worker can load the model at the moment. Try again.');
    return { status: 202, body: presentModel(row) };
  },
});

modelRoutes.route('DELETE', '/v1/models/{id}', {
  id: 'models.delete',
  access: 'models:write',
  refuses: ['storage_unavailable'],
  summary: 'Delete a model; explanations that wait for it fail, finished ones stay',
  responses: deleted,
  handler: async ({ tenant, services, params }) => {
    await deleteModel(services, tenant, params.id);
    return { status: 204 };
  },
});
