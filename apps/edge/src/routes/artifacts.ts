import { z } from '@hono/zod-openapi';
import { artifactNames, artifactUrlSchema } from '@whylight/contract';
import { expiredFor } from '../domain/explanation.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { urlLifetime } from '../storage/objects.ts';
import { findExplanation, readExplanation } from '../use-cases/read-explanation.ts';

export const artifacts = routes('explanations');

artifacts.route('GET', '/v1/explanations/{id}/artifacts/{name}', {
  id: 'artifacts.get',
  access: 'explanations:read',
  refuses: ['artifact_expired', 'storage_unavailable'],
  summary: 'Get a signed URL of a picture, of the array or of the JSON of a result',
  params: { name: artifactNames.join(', ') },
  query: z.object({
    rendering: z.string().max(64).optional().describe('The id of a rendering, as its links contain it'),
  }),
  responses: {
    302: { description: '`Location` is a signed URL that is valid for five minutes', headers: ['Location'] },
    200: json(
      artifactUrlSchema,
      'The body has the signed URL, if the request has `Accept: application/json`: a script of a page cannot read a redirect',
    ),
  },
  handler: async ({ tenant, services, params: { id, name }, query: { rendering } }, c) => {
    const asked = await findExplanation(services, tenant, id);
    const { row, run: now } = await readExplanation(services, asked, 0);
    const run = expiredFor(row, now, Date.now());
    const rendered =
      rendering === undefined || run.erased
        ? null
        : await services.computation(row.key).findRendering(row.run, rendering);
    const found = rendering === undefined ? run.artifacts : (rendered?.artifacts ?? []);
    const artifact = found.find((candidate) => candidate.name === name);
    if (!artifact && (run.erased || rendering?.length === 64) && isArtifact(name))
      throw new Refusal('artifact_expired', 'The result of this explanation has been deleted.');
    if (!artifact) throw notFound();
    const url = await services.objects.signedGet(artifact.object, artifact.name, artifact.content_type);
    const headers = { 'Cache-Control': 'private, no-store' };
    if (!c.req.header('Accept')?.includes('application/json'))
      return { status: 302, headers: { ...headers, Location: url } };
    const expires_at = new Date(Date.now() + urlLifetime * 1000).toISOString();
    return { status: 200, headers, body: { url, expires_at } };
  },
});

const isArtifact = (name: string): boolean => (artifactNames as readonly string[]).includes(name);
