import { z } from '@hono/zod-openapi';
import { modelCompletionSchema, modelListSchema, modelRequestSchema, modelSchema } from '@whylight/contract';
import { presentBuiltIn, presentModel, sourceOf } from '../domain/model.ts';
import { longestWait, preferredWait } from '../domain/prefer.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { answerPage, paged } from '../http/paging.ts';
import { deleted, json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { announceModel } from '../use-cases/announce-model.ts';
import { completeModel } from '../use-cases/complete-model.ts';
import { deleteModel } from '../use-cases/delete-model.ts';
import { findOwnModel } from '../use-cases/find-own-model.ts';
import { warmModel } from '../use-cases/warm-model.ts';

export const modelRoutes = routes('models');

modelRoutes.route('POST', '/v1/models', {
  access: 'models:write',
  summary: 'Announce the ONNX file of your own model, and get signed URLs for it',
  body: modelRequestSchema,
  // Thousands of class names need more room than other bodies.
  readBody: jsonBody(262_144),
  responses: {
    201: json(modelSchema, 'PUT the file to the URLs of `upload.parts`, then POST to `complete`'),
    200: json(
      modelSchema,
      'The model exists under this id; `upload` is present while the service waits for the file',
    ),
  },
  handler: async ({ tenant, services, requestId, body }, c) => {
    const { model, isNew } = await announceModel(services, { tenant, requestId }, body);
    c.set('subject', model.id);
    return { status: isNew ? 201 : 200, headers: { Location: model.urls.self }, body: model };
  },
});

modelRoutes.route('POST', '/v1/models/{id}/complete', {
  access: 'models:write',
  summary: 'Complete the upload of a model, and have a worker validate it',
  headers: {
    prefer:
      '`wait=n`: the service answers when the validation has ended, or after n seconds; n is at most 60',
  },
  body: modelCompletionSchema,
  responses: {
    200: json(modelSchema, 'The validation has ended: `ready`, or `rejected` with its `error`'),
    202: json(modelSchema, 'The validation is under way; ask again at `Location`'),
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
  access: 'models:read',
  summary: 'List models; the first page begins with those of the service, and yours follow, newest first',
  ...paged(modelListSchema, 'The body is a page of models'),
  handler: async ({ tenant, services, query }) => {
    const { status, body } = await answerPage(
      'mdl',
      query,
      (limit, after) => services.models.list(tenant, limit, after),
      (row) => presentModel(row),
    );
    const builtIn = query.starting_after ? [] : (await services.catalogs.get()).models.map(presentBuiltIn);
    return { status, body: { ...body, data: [...builtIn, ...body.data] } };
  },
});

modelRoutes.route('GET', '/v1/models/{id}', {
  access: 'models:read',
  summary: 'Get a model with its report, or wait until its validation has ended',
  query: z.object({ wait: z.coerce.number().int().min(0).max(longestWait).default(0) }),
  responses: { 200: json(modelSchema, 'The body is the model in its present state') },
  handler: async ({ tenant, services, params: { id }, query: { wait } }) => {
    if (!isId('mdl', id)) {
      const model = (await services.catalogs.get()).models.find(({ name }) => name === id);
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
  access: 'models:write',
  summary: 'Have the workers load the model now, so that the next explanation does not wait for it',
  responses: { 202: json(modelSchema, 'The workers are loading the model') },
  handler: async ({ tenant, services, requestId, params }) => {
    const row = await findOwnModel(services, tenant, params.id);
    if (row.status !== 'ready') throw new Refusal('model_not_ready', `The model is ${row.status}.`);
    if (!(await warmModel(services, sourceOf(row), requestId)))
      throw new Refusal('capacity', 'No worker can load the model at the moment. Try again.');
    return { status: 202, body: presentModel(row) };
  },
});

modelRoutes.route('DELETE', '/v1/models/{id}', {
  access: 'models:write',
  summary: 'Delete a model; explanations that wait for it fail, finished ones stay',
  responses: deleted,
  handler: async ({ tenant, services, params }) => {
    await deleteModel(services, tenant, params.id);
    return { status: 204 };
  },
});
