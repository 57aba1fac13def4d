import { createRoute, z } from '@hono/zod-openapi';
import { methodListSchema, modelListSchema } from '@whylight/contract';
import { methods, paramsJsonSchema } from '@whylight/core/methods';
import { findModel } from '../domain/question.ts';
import { declined, json, routes, tenantRoute } from '../openapi.ts';

const listModels = createRoute({
  ...tenantRoute('models:read'),
  method: 'get',
  path: '/v1/models',
  tags: ['models'],
  summary: 'List the models that can be explained',
  responses: { 200: json(modelListSchema, 'All models'), ...declined },
});

const listMethods = createRoute({
  ...tenantRoute('models:read'),
  method: 'get',
  path: '/v1/methods',
  tags: ['models'],
  summary: 'List the methods and their parameters',
  request: {
    query: z.object({
      model: z.string().max(200).optional().describe('Say of each whether it works on this model'),
    }),
  },
  responses: { 200: json(methodListSchema, 'All methods'), ...declined },
});

const whole = { object: 'list', has_more: false, next_cursor: null } as const;

export const catalog = routes()
  .openapi(listModels, async (c) => {
    const { models } = await c.var.services.catalogs.get();
    const data = models.map(
      ({ name, digest, classes, input_shape, default: isDefault, methods: reasons }) => ({
        name,
        object: 'model' as const,
        digest,
        classes,
        input_shape,
        default: isDefault,
        methods: Object.keys(reasons).filter((id) => reasons[id] === null),
      }),
    );
    return c.json({ ...whole, data }, 200);
  })
  .openapi(listMethods, async (c) => {
    const { model: name } = c.req.valid('query');
    const model = name === undefined ? null : findModel(name, await c.var.services.catalogs.get());
    const data = methods.map(({ id, title, summary, paper, version, kind, needs, conventions }) => {
      const reason = model?.methods[id];
      return {
        id,
        object: 'method' as const,
        title,
        summary,
        paper,
        version,
        kind,
        needs: [...needs],
        conventions: [...conventions],
        parameters: paramsJsonSchema(id) as Record<string, z.core.util.JSONType>,
        works: model && reason === null,
        reason: model ? (reason === undefined ? 'The worker does not have it.' : reason) : null,
      };
    });
    return c.json({ ...whole, data }, 200);
  });
