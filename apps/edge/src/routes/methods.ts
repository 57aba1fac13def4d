import { z } from '@hono/zod-openapi';
import { methodListSchema } from '@whylight/contract';
import { getOwn, methods, paramsJsonSchema } from '@whylight/core/methods';
import { methodCost } from '../domain/compute-units.ts';
import { refusalsOfModels } from '../domain/job-refusal.ts';
import { answerAll } from '../http/paging.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { chooseModel } from '../use-cases/choose-model.ts';

const required = { gradient: 'gradients', layer: 'target_layer', attention: 'attention' } as const;

export const methodRoutes = routes('methods');

methodRoutes.route('GET', '/v1/methods', {
  id: 'methods.list',
  access: 'models:read',
  refuses: refusalsOfModels,
  summary: 'List the methods and their parameters',
  query: z.object({
    model: z
      .string()
      .max(200)
      .optional()
      .describe('The answer says of each method whether it works on this model'),
  }),
  responses: { 200: json(methodListSchema, 'The body lists all methods') },
  handler: async ({ tenant, services, query }) => {
    const model = query.model === undefined ? null : await chooseModel(services, tenant, query.model);
    return answerAll(
      methods.map(({ id, title, summary, paper, version, kind, needs, conventions }) => {
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
      }),
    );
  },
});
