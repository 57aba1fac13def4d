import { z } from '@hono/zod-openapi';
import { artifactNames, artifactUrlSchema } from '@whylight/contract';
import { mayRedirect, prefersJson } from '../domain/artifact-answer.ts';
import { expiredFor } from '../domain/explanation.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { findExplanation, readExplanation } from '../use-cases/read-explanation.ts';

export const artifacts = routes('explanations');

artifacts.route('GET', '/v1/explanations/{id}/artifacts/{name}', {
  id: 'artifacts.get',
  access: 'explanations:read',
  refuses: ['artifact_expired', 'storage_unavailable'],
  summary: 'Get a picture, the array or the JSON of a result',
  description:
    'Redirects to a signed URL of the file in the object store. Follow it without your API key: most clients take the key away, because the store is another origin. Clients that are known to send it along, by their `User-Agent`, get the bytes of the file instead (200). The links of an explanation have a `signed_url`, for which you need no key and no redirect.',
  params: { name: artifactNames.join(', ') },
  query: z.object({
    rendering: z.string().max(64).optional().describe('The id of a rendering, as its links contain it'),
  }),
  responses: {
    302: { description: '`Location` is a signed URL that is valid for five minutes', headers: ['Location'] },
    200: json(
      artifactUrlSchema,
      'The body has the signed URL, if `Accept` prefers `application/json` to the file: a script of a page cannot read a redirect',
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
    const { objects } = services;
    const noStore = { 'Cache-Control': 'private, no-store' };
    const asJson = prefersJson(c.req.header('Accept'), artifact.content_type);
    if (
      !asJson &&
      !mayRedirect(c.req.header('User-Agent'), new URL(c.req.url).hostname, objects.publicUrl.hostname)
    ) {
      const { headers, body } = await objects.open(artifact);
      return { status: 200, headers: { ...noStore, ...headers }, body };
    }
    const { signed_url: url, expires_at } = await objects.signedGet(artifact);
    return asJson
      ? { status: 200, headers: noStore, body: { url, expires_at } }
      : { status: 302, headers: { ...noStore, Location: url } };
  },
});

const isArtifact = (name: string): boolean => (artifactNames as readonly string[]).includes(name);
