import { createRoute, z } from '@hono/zod-openapi';
import { methodListSchema } from '@whylight/contract';
import { getOwn, methods, paramsJsonSchema } from '@whylight/core/methods';
import { methodCost } from '../domain/compute-units.ts';
import { declined, json, routes, tenantRoute } from '../openapi.ts';
import { chooseModel } from '../use-cases/own-models.ts';

const listMethods = createRoute({
  ...tenantRoute('models:read'),
  method: 'get',
  path: '/v1/methods',
  tags: ['methods'],
  summary: 'List the methods and their parameters',
  request: {
    query: z.object({
      model: z.string().max(200).optional().describe('For each method, say whether it works on this model'),
    }),
  },
  responses: { 200: json(methodListSchema, 'All methods'), ...declined },
});

const required = { gradient: 'gradients', layer: 'target_layer', attention: 'attention' } as const;

const whole = { object: 'list', has_more: false, next_cursor: null } as const;

export const methodRoutes = routes().openapi(listMethods, async (c) => {
  const { model: name } = c.req.valid('query');
  const { caller, services } = c.var;
  const model = name === undefined ? null : await chooseModel(services, caller.tenant, name);
  const data = methods.map(({ id, title, summary, paper, version, kind, needs, conventions }) => {
    const reason = model ? getOwn(model.methods, id) : null;
    const notRun = model && reason === null ? (getOwn(model.not_run ?? {}, id) ?? null) : null;
    return {
      id,
      object: 'method' as const,
      title,
      summary,
      paper,
      version,
      kind,
      requires: needs.map((need) => required[need]),
      cost: methodCost(id, model?.input_shape ?? [3, 224, 224]),
      conventions: [...conventions],
      parameters: paramsJsonSchema(id) as Record<string, z.core.util.JSONType>,
      works: notRun === null ? model && reason === null : null,
      reason: reason === undefined ? 'The worker does not have this method.' : (reason ?? notRun),
    };
  });
  return c.json({ ...whole, data }, 200);
});
