import { createRoute, z } from '@hono/zod-openapi';
import { modelCompletionSchema, modelListSchema, modelRequestSchema, modelSchema } from '@whylight/contract';
import { presentBuiltIn, presentModel, sourceOf } from '../domain/model.ts';
import { longestWait, preferredWait } from '../domain/prefer.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { body, declined, json, routes, tenantAction, tenantRoute, tenantRouteUpTo } from '../openapi.ts';
import { page, pageQuery } from '../paging.ts';
import { announceModel, completeModel, deleteModel, findOwn } from '../use-cases/own-models.ts';

const tags = ['models'];
const params = z.object({ id: z.string() });

/** Thousands of class names need more room than other bodies. */
const largestRequest = 262_144;

const create = createRoute({
  ...tenantRouteUpTo(largestRequest, 'models:write'),
  method: 'post',
  path: '/v1/models',
  tags,
  summary: 'Announce the ONNX file of your own model, and get signed URLs for it',
  request: body(modelRequestSchema),
  responses: {
    201: json(modelSchema, 'PUT the file to the URLs of `upload.parts`, then POST to `complete`'),
    200: json(
      modelSchema,
      'The model exists under this id; `upload` is present while the service waits for the file',
    ),
    ...declined,
  },
});

const complete = createRoute({
  ...tenantRoute('models:write'),
  method: 'post',
  path: '/v1/models/{id}/complete',
  tags,
  summary: 'Say that the file has arrived, and have a worker validate the model',
  request: {
    params,
    headers: z.object({
      prefer: z
        .string()
        .optional()
        .describe('`wait=n`: answer when the validation has ended, at the latest after n seconds'),
    }),
    ...body(modelCompletionSchema),
  },
  responses: {
    200: json(modelSchema, 'The validation has ended: `ready`, or `rejected` with its `error`'),
    202: json(modelSchema, 'The validation is under way; ask again at `Location`'),
    ...declined,
  },
});

const list = createRoute({
  ...tenantRoute('models:read'),
  method: 'get',
  path: '/v1/models',
  tags,
  summary: 'List the models: those of the service on the first page, then your own, newest first',
  request: { query: pageQuery },
  responses: { 200: json(modelListSchema, 'A page of models'), ...declined },
});

const get = createRoute({
  ...tenantRoute('models:read'),
  method: 'get',
  path: '/v1/models/{id}',
  tags,
  summary: 'Get a model with its report, or wait until its validation has ended',
  request: { params, query: z.object({ wait: z.coerce.number().int().min(0).max(longestWait).default(0) }) },
  responses: { 200: json(modelSchema, 'The model in its present state'), ...declined },
});

const warm = createRoute({
  ...tenantAction('models:write'),
  method: 'post',
  path: '/v1/models/{id}/warm',
  tags,
  summary: 'Have a worker load the model now, so that the next explanation does not wait for it',
  request: { params },
  responses: { 202: json(modelSchema, 'A worker is loading the model'), ...declined },
});

const remove = createRoute({
  ...tenantAction('models:write'),
  method: 'delete',
  path: '/v1/models/{id}',
  tags,
  summary: 'Delete a model; explanations that wait for it fail, finished ones stay',
  request: { params },
  responses: { 204: { description: 'Deleted' }, ...declined },
});

export const modelRoutes = routes()
  .openapi(create, async (c) => {
    const { caller, services, requestId } = c.var;
    const who = { tenant: caller.tenant, requestId };
    const { model, isNew } = await announceModel(services, who, c.req.valid('json'));
    c.set('subject', model.id);
    c.header('Location', model.urls.self);
    return isNew ? c.json(model, 201) : c.json(model, 200);
  })
  .openapi(complete, async (c) => {
    const { caller, services, requestId } = c.var;
    const { id } = c.req.valid('param');
    await completeModel(services, { tenant: caller.tenant, requestId }, id, c.req.valid('json'));
    const wait = preferredWait(c.req.header('Prefer'));
    if (wait) await services.modelValidation(id).waitUntilDone(wait);
    const row = await findOwn(services, caller.tenant, id);
    c.header('Location', `/v1/models/${id}`);
    if (wait !== null) c.header('Preference-Applied', `wait=${wait}`);
    return c.json(presentModel(row), row.status === 'validating' ? 202 : 200);
  })
  .openapi(list, async (c) => {
    const { caller, services } = c.var;
    const query = c.req.valid('query');
    const { data, ...rest } = await page('mdl', query, (limit, after) =>
      services.models.list(caller.tenant, limit, after),
    );
    const builtIn = query.starting_after ? [] : (await services.catalogs.get()).models.map(presentBuiltIn);
    return c.json({ ...rest, data: [...builtIn, ...data.map((row) => presentModel(row))] }, 200);
  })
  .openapi(get, async (c) => {
    const { caller, services } = c.var;
    const { id } = c.req.valid('param');
    if (!isId('mdl', id)) {
      const model = (await services.catalogs.get()).models.find(({ name }) => name === id);
      if (!model) throw notFound();
      return c.json(presentBuiltIn(model), 200);
    }
    const row = await findOwn(services, caller.tenant, id);
    const { wait } = c.req.valid('query');
    if (row.status !== 'validating' || wait === 0) return c.json(presentModel(row), 200);
    await services.modelValidation(id).waitUntilDone(wait);
    return c.json(presentModel(await findOwn(services, caller.tenant, id)), 200);
  })
  .openapi(warm, async (c) => {
    const { caller, services, requestId } = c.var;
    const row = await findOwn(services, caller.tenant, c.req.valid('param').id);
    if (row.status !== 'ready') throw new Refusal('model_not_ready', `The model is ${row.status}.`);
    if (!(await services.worker.warm(sourceOf(row), requestId)))
      throw new Refusal('capacity', 'No worker can load the model at the moment. Try again.');
    return c.json(presentModel(row), 202);
  })
  .openapi(remove, async (c) => {
    const { caller, services } = c.var;
    await deleteModel(services, caller.tenant, c.req.valid('param').id);
    return c.body(null, 204);
  });
