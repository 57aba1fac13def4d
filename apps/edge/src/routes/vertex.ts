import {
  type Explanation,
  type VertexRequest,
  vertexRequestSchema,
  vertexResponseSchema,
} from '@whylight/contract';
import { photoOfInstance } from '../domain/inline-photo.ts';
import { refusalsOfJobs } from '../domain/job-refusal.ts';
import { notFound } from '../domain/refusal.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { inlineBody } from '../middleware/inline-body.ts';
import { chooseInlineModel, explainInline, type Wish, withPictures } from '../use-cases/inline-requests.ts';

export const vertex = routes('compatibility');

vertex.route('POST', '/v1/compat/vertex/v1/projects/{project}/locations/{location}/endpoints/{endpoint}', {
  id: 'vertex.explain',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  summary: 'Explain photos by Vertex AI’s protocol; `{endpoint}` is `MODEL:explain`',
  body: vertexRequestSchema,
  readBody: inlineBody,
  responses: { 200: json(vertexResponseSchema, 'The body has an explanation of each instance') },
  handler: async ({ params, body, ...sender }) => {
    const model = modelIn(params.endpoint);
    const sent = body.instances.map(photoOfInstance);
    const explained = await explainInline(sender, await chooseInlineModel(sender, model), sent, wishOf(body));
    const answers = await withPictures(sender.services, explained);
    return {
      status: 200,
      body: {
        deployedModelId: model,
        explanations: answers.map(({ explanation, overlay }) => ({
          attributions: explanation.attributions.map((attribution) => ({
            outputIndex: [attribution.output_index],
            outputDisplayName: attribution.output_display_name,
            outputName: 'logits',
            instanceOutputValue: attribution.score,
            approximationError: approximationError(attribution),
            featureAttributions: { image: { b64_png: overlay } },
          })),
        })),
        predictions: answers.map(({ explanation: { predictions } }) => ({
          ids: predictions.map(({ class_index }) => String(class_index)),
          displayNames: predictions.map(({ label }) => label),
          confidences: predictions.map(({ probability, score }) => probability ?? score),
        })),
      },
    };
  },
});

/** `NAME` of `NAME:explain`; no name is longer than 200 characters. */
function modelIn(segment: string): string {
  const [, name] = /^(.{1,200}):explain$/.exec(segment) ?? [];
  if (name === undefined) throw notFound();
  return name;
}

/** Translates Vertex AI's methods; its default is integrated gradients with 50 steps. */
function wishOf({ explanationSpecOverride }: VertexRequest): Wish {
  const { integratedGradientsAttribution: gradients, sampledShapleyAttribution: shapley } =
    explanationSpecOverride?.parameters ?? {};
  if (shapley) return { method: 'shapley-sampling', parameters: { n_samples: shapley.pathCount } };
  return { method: 'integrated-gradients', parameters: { n_steps: gradients?.stepCount ?? 50 } };
}

/** |Σ attribution - (f(x) - f(x'))| / |f(x) - f(x')|; null for methods without a convergence delta. */
function approximationError({
  attribution_sum: sum,
  convergence_delta: delta,
}: Explanation['attributions'][number]): number | null {
  return delta === null ? null : Math.abs(delta) / Math.max(Math.abs(sum - delta), 1e-8);
}
