import { createRoute, z } from '@hono/zod-openapi';
import { renderingRequestSchema, renderingSchema, renderKey } from '@whylight/contract';
import { expiredFor, linkTo } from '../domain/explanation.ts';
import { Refusal } from '../domain/refusal.ts';
import { body, declined, json, routes, tenantRoute } from '../openapi.ts';
import { findExplanation, renderRun, runOf } from '../use-cases/submission.ts';

const render = createRoute({
  ...tenantRoute('explanations:write'),
  method: 'post',
  path: '/v1/explanations/{id}/render',
  tags: ['explanations'],
  summary: 'Render a finished explanation in another style, without computing it again',
  request: { params: z.object({ id: z.string() }), ...body(renderingRequestSchema) },
  responses: { 200: json(renderingSchema, 'The pictures'), ...declined },
});

export const renderings = routes().openapi(render, async (c) => {
  const { caller, services } = c.var;
  const row = await findExplanation(services, caller.tenant, c.req.valid('param').id);
  const run = expiredFor(row, await runOf(services, row, 0), Date.now());
  if (run.erased) throw new Refusal('artifact_expired', 'The result of this explanation has been deleted.');
  if (run.status !== 'succeeded')
    throw new Refusal('explanation_not_ready', 'The explanation has no result to render yet.');
  const asked = c.req.valid('json');
  const { language } = row.style ?? run.submission.style;
  const style = { visualization: asked.visualization, language: asked.language ?? language };
  const { rendering, known } = await renderRun(services, run, style);
  const query = rendering.key === '' ? '' : `?rendering=${rendering.key}`;
  const link = (name: 'overlay.png' | 'heatmap.png') =>
    linkTo(rendering.artifacts, name, `/v1/explanations/${row.id}/artifacts/${name}${query}`);
  return c.json(
    {
      object: 'rendering' as const,
      explanation: row.id,
      ...style,
      cache: {
        status: known ? ('hit' as const) : ('miss' as const),
        key: `sha256:${await renderKey(row.key, style)}`,
      },
      artifacts: { overlay: link('overlay.png'), heatmap: link('heatmap.png') },
      warnings: [...rendering.warnings],
    },
    200,
  );
});
