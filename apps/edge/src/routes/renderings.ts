import { renderingRequestSchema, renderingSchema, renderKey, styleOf } from '@whylight/contract';
import { attributionKindOf } from '@whylight/core/methods';
import { expiredFor, linkTo } from '../domain/explanation.ts';
import { Refusal } from '../domain/refusal.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { findExplanation, readExplanation } from '../use-cases/read-explanation.ts';
import { renderRun } from '../use-cases/render-run.ts';
import { signLinks } from '../use-cases/sign-links.ts';

export const renderings = routes('explanations');

renderings.route('POST', '/v1/explanations/{id}/render', {
  id: 'renderings.create',
  access: 'explanations:write',
  refuses: ['explanation_not_ready', 'artifact_expired', 'storage_unavailable', 'upload_not_ready'],
  summary: 'Render a finished explanation in another style, without computing it again',
  body: renderingRequestSchema,
  responses: { 200: json(renderingSchema, 'The body links to the pictures') },
  handler: async ({ tenant, services, params, body }) => {
    const found = await findExplanation(services, tenant, params.id);
    const { row, run: now } = await readExplanation(services, found, 0);
    const run = expiredFor(row, now, Date.now());
    if (run.erased) throw new Refusal('artifact_expired', 'The result of this explanation has been deleted.');
    if (run.status !== 'succeeded')
      throw new Refusal('explanation_not_ready', 'The explanation has no result to render yet.');
    const { language } = row.style ?? run.submission.style;
    const { isPixels } = attributionKindOf(run.submission.question.method);
    const style = styleOf(body.visualization, body.language ?? language, isPixels);
    const { rendering, known } = await renderRun(services, run, style);
    const query = rendering.key === '' ? '' : `?rendering=${rendering.key}`;
    const link = (name: 'overlay.png' | 'heatmap.png') =>
      linkTo(rendering.artifacts, name, `/v1/explanations/${row.id}/artifacts/${name}${query}`);
    return {
      status: 200,
      body: {
        object: 'rendering' as const,
        explanation: row.id,
        visualization: style.visualization,
        language: style.language,
        cache: {
          status: known ? ('hit' as const) : ('miss' as const),
          key: `sha256:${await renderKey(row.key, style)}`,
        },
        artifacts: await signLinks(
          services,
          { overlay: link('overlay.png'), heatmap: link('heatmap.png') },
          rendering.artifacts,
        ),
        warnings: [...rendering.warnings],
      },
    };
  },
});
