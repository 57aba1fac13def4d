import { createRoute, z } from '@hono/zod-openapi';
import { artifactNames, artifactUrlSchema } from '@whylight/contract';
import { expiredFor } from '../domain/explanation.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { declined, json, routes, tenantRoute } from '../openapi.ts';
import { urlLifetime } from '../storage/objects.ts';
import { findExplanation, runOf } from '../use-cases/submission.ts';

const get = createRoute({
  ...tenantRoute('explanations:read'),
  method: 'get',
  path: '/v1/explanations/{id}/artifacts/{name}',
  tags: ['explanations'],
  summary: 'Get a signed URL of a picture, the array or the JSON of a result',
  request: {
    params: z.object({ id: z.string(), name: z.string().describe(artifactNames.join(', ')) }),
    query: z.object({
      rendering: z.string().max(64).optional().describe('The id of a rendering, as its links contain it'),
    }),
  },
  responses: {
    302: { description: 'Redirects to a URL that is valid for five minutes' },
    200: json(
      artifactUrlSchema,
      'The URL itself, for requests with `Accept: application/json`: scripts of a page see no redirect',
    ),
    ...declined,
  },
});

export const artifacts = routes().openapi(get, async (c) => {
  const { caller, services } = c.var;
  const { id, name } = c.req.valid('param');
  const { rendering } = c.req.valid('query');
  const row = await findExplanation(services, caller.tenant, id);
  const run = expiredFor(row, await runOf(services, row, 0), Date.now());
  const rendered =
    rendering === undefined || run.erased
      ? null
      : await services.computation(row.key).findRendering(row.run, rendering);
  const artifacts = rendering === undefined ? run.artifacts : (rendered?.artifacts ?? []);
  const artifact = artifacts.find((candidate) => candidate.name === name);
  if (!artifact && (run.erased || rendering?.length === 64) && isArtifact(name))
    throw new Refusal('artifact_expired', 'The result of this explanation has been deleted.');
  if (!artifact) throw notFound();
  c.header('Cache-Control', 'private, no-store');
  const url = await services.objects.signedGet(artifact.object, artifact.name, artifact.content_type);
  if (!c.req.header('Accept')?.includes('application/json')) return c.redirect(url, 302);
  return c.json({ url, expires_at: new Date(Date.now() + urlLifetime * 1000).toISOString() }, 200);
});

const isArtifact = (name: string): boolean => (artifactNames as readonly string[]).includes(name);
