import {
  type Artifact,
  type Explanation,
  type ExplanationAsked,
  explanationRequestSchema,
  type Instance,
  kserveRequestSchema,
  kserveResponseSchema,
  type VertexRequest,
  vertexRequestSchema,
  vertexResponseSchema,
} from '@whylight/contract';
import { refusalOfJob, refusalsOfJobs } from '../domain/job-refusal.ts';
import { longestWait } from '../domain/prefer.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Run } from '../domain/run.ts';
import { newId } from '../domain/ulid.ts';
import { refusalOf } from '../domain/validation.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { inlineBody } from '../middleware/inline-body.ts';
import type { Services } from '../services.ts';
import type { Caller } from '../storage/tenants.ts';
import { awaitCatalog } from '../use-cases/await-catalog.ts';
import { createExplanation } from '../use-cases/creation.ts';
import { uploadInline } from '../use-cases/inline-upload.ts';
import { present, readExplanation } from '../use-cases/read-explanation.ts';

export const compat = routes('compatibility');

compat.route('POST', '/v1/compat/kserve/v1/models/{model}', {
  id: 'kserve.explain',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  summary: 'Explain photos by KServe’s V1 protocol; `{model}` is `NAME:explain`',
  body: kserveRequestSchema,
  readBody: inlineBody,
  responses: { 200: json(kserveResponseSchema, 'The body has an explanation of each instance') },
  handler: async ({ params, body: { instances, parameters }, ...sender }) => {
    const answers = await explainAll(sender, modelIn(params.model), instances, parameters);
    return {
      status: 200,
      body: {
        predictions: answers.map(({ explanation }) => explanation.predictions.map(plain)),
        explanations: answers.map(({ explanation, overlay }) => {
          const [attribution] = explanation.attributions as [Explanation['attributions'][number]];
          return {
            id: explanation.id,
            method: explanation.method,
            target: targetOf(attribution),
            shape: attribution.shape,
            sum: attribution.attribution_sum,
            convergence_delta: attribution.convergence_delta,
            overlay: { b64_png: overlay },
            urls: { self: explanation.urls.self, attribution: attribution.artifacts.attribution.url },
          };
        }),
      },
    };
  },
});

compat.route('POST', '/v1/compat/vertex/v1/projects/{project}/locations/{location}/endpoints/{endpoint}', {
  id: 'vertex.explain',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  summary: 'Explain photos by Vertex AI’s protocol; `{endpoint}` is `MODEL:explain`',
  body: vertexRequestSchema,
  readBody: inlineBody,
  responses: { 200: json(vertexResponseSchema, 'The body has an explanation of each instance') },
  handler: async ({ params, body, ...sender }) => {
    const model = modelIn(params.endpoint);
    const answers = await explainAll(sender, model, body.instances, methodOf(body));
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

interface How {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Translates Vertex AI's methods; its default is integrated gradients with 50 steps. */
function methodOf({ explanationSpecOverride }: VertexRequest): How {
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

const plain = ({ label_zh: _, ...prediction }: Explanation['predictions'][number]) => prediction;

const targetOf = (attribution: Explanation['attributions'][number]) => ({
  class_index: attribution.output_index,
  label: attribution.output_display_name,
  ...(attribution.probability === undefined ? {} : { probability: attribution.probability }),
  score: attribution.score,
});

interface Answer {
  readonly explanation: Explanation;
  /** Base 64 of a PNG file. */
  readonly overlay: string;
}

interface Sender {
  readonly services: Services;
  readonly caller: Caller;
  readonly requestId: string;
}

/** Creates an explanation for each photo in the body, and waits for all of them, a minute at most. */
async function explainAll(
  { services, caller, requestId }: Sender,
  model: string,
  instances: readonly Instance[],
  { method, parameters }: How,
): Promise<Answer[]> {
  const { tenant, scopes } = caller;
  if (!scopes.includes('uploads:write'))
    throw new Refusal('insufficient_scope', 'The API key lacks the scope uploads:write.');
  const deadline = Date.now() + longestWait * 1000;
  await awaitCatalog(services, `${tenant}/compat`, longestWait);
  const answers: Promise<Answer>[] = [];
  for (const [index, instance] of instances.entries()) {
    const upload = await uploadInline(services, tenant, instance, index);
    const id = newId('exp');
    const wish = { input: { upload: upload.id }, model, method, parameters };
    const asked = parseWish(wish);
    const creation = {
      id,
      tenant,
      requestId,
      asked,
      fresh: false,
      requestedAt: Date.now(),
      cancelAfter: null,
    };
    const { row, admission } = await createExplanation(services, creation);
    const left = Math.max(0, deadline - Date.now()) / 1000;
    const answer = readExplanation(services, row, left, admission.run).then(async (now) => ({
      explanation: present(now),
      overlay: await pictureOf(services, now.run, instances.length),
    }));
    // Promise.all below reports the error, once all explanations have begun.
    answer.catch(() => {});
    answers.push(answer);
  }
  return Promise.all(answers);
}

/** Checks a request that we have built. @throws Refusal for numbers of the body that no request accepts, such as 1e999 */
function parseWish(wish: unknown): ExplanationAsked {
  const { success, data, error } = explanationRequestSchema.safeParse(wish);
  if (success) return data;
  throw refusalOf(error, wish);
}

/** Larger pictures, or more of them in one answer, stay in the store: a Worker has little memory. */
const largestPicture = 4_194_304;
const largestPictures = 16_777_216;

/** Gives the overlay, one of `count`, or the heat map if the overlay is too large. */
async function pictureOf({ objects }: Services, run: Run, count: number): Promise<string> {
  if (run.error) throw refusalOfJob(run.error);
  if (run.status !== 'succeeded')
    throw new Refusal('capacity', 'The explanation has not ended yet. Send the request again to get it.');
  const find = (name: Artifact['name']) => run.artifacts.find((artifact) => artifact.name === name)!;
  const overlay = find('overlay.png');
  const most = Math.min(largestPicture, largestPictures / count);
  return objects.base64((overlay.bytes <= most ? overlay : find('heatmap.png')).object);
}
