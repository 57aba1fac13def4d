import {
  type KServeRequest,
  kserveInferenceSchema,
  kserveModelSchema,
  kserveModelsSchema,
  kservePredictionsSchema,
  kserveReadySchema,
  kserveRequestSchema,
  kserveResponseSchema,
  kserveServerSchema,
  type Prediction,
} from '@whylight/contract';
import { explanationOutputs, likeliestOutputs, writeV2Body } from '@whylight/contract/kserve';
import { z } from 'zod';
import { photoOfInstance } from '../domain/inline-photo.ts';
import { refusalsOfJobs, refusalsOfModels } from '../domain/job-refusal.ts';
import {
  explainerSuffix,
  inferenceRequestDocument,
  metadataOf,
  readInferenceRequest,
} from '../domain/kserve.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { json, written } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { inlineBody, tensorBody } from '../middleware/inline-body.ts';
import { document } from '../openapi.ts';
import { services } from '../services.ts';
import { chooseModel } from '../use-cases/choose-model.ts';
import {
  type Chosen,
  chooseInlineModel,
  explainInline,
  predictInline,
  type Sender,
  withArrays,
  withPictures,
} from '../use-cases/inline-requests.ts';

/** KServe's V1 and V2: `/v1/compat/kserve` is the address that its clients get. */
export const kserve = routes('compatibility');

const root = '/v1/compat/kserve';

// A client of V1 asks here; a path that ends so has no place in the published document.
kserve.route('GET', `${root}/`, {
  access: 'public',
  summary: 'Check that the gateway runs, as a client of V1 asks',
  responses: { 200: json(z.object({ status: z.string() }), 'The gateway runs') },
  handler: () => ({ status: 200, body: { status: 'alive' } }),
});

kserve.route('GET', `${root}/v2`, {
  id: 'kserve.getServer',
  access: 'public',
  summary: 'Get the name of this server and the extensions of KServe’s V2 that it has',
  responses: { 200: json(kserveServerSchema, 'The body names the extensions') },
  handler: () => ({
    status: 200,
    body: { name: 'whylight', version: document.info.version, extensions: ['binary_tensor_data'] },
  }),
});

kserve.route('GET', `${root}/v2/health/live`, {
  id: 'kserve.checkLive',
  access: 'public',
  summary: 'Check that the gateway runs, by KServe’s V2',
  responses: { 200: json(z.object({ live: z.boolean() }), 'The gateway runs') },
  handler: () => ({ status: 200, body: { live: true } }),
});

kserve.route('GET', `${root}/v2/health/ready`, {
  id: 'kserve.checkReady',
  access: 'public',
  summary: 'Check that a worker has told which models it has, by KServe’s V2',
  responses: { 200: json(z.object({ ready: z.boolean() }), 'The service has models') },
  handler: async (_, c) => {
    await services(c.env).catalogs.get();
    return { status: 200, body: { ready: true } };
  },
});

kserve.route('GET', `${root}/v1/models`, {
  id: 'kserve.listModels',
  access: 'models:read',
  summary: 'List the names of the models, by KServe’s V1',
  responses: { 200: json(kserveModelsSchema, 'The models of the service and yours') },
  handler: async ({ tenant, services }) => {
    const own = await services.models.names(tenant);
    const shared = ((await services.catalogs.find())?.models ?? []).map(({ name }) => name);
    return { status: 200, body: { models: [...new Set([...shared, ...own])] } };
  },
});

const readiness = {
  access: 'models:read',
  refuses: refusalsOfModels,
  responses: { 200: json(kserveReadySchema, 'The model takes requests') },
} as const;

kserve.route('GET', `${root}/v1/models/{model}`, {
  ...readiness,
  id: 'kserve.checkModel',
  summary: 'Check that a model takes requests, by KServe’s V1',
  handler: async ({ params: { model }, ...sender }) => {
    await findServed(sender, model);
    return { status: 200, body: { name: model, ready: true } };
  },
});

kserve.route('GET', `${root}/v2/models/{model}/ready`, {
  ...readiness,
  id: 'kserve.checkModelReady',
  summary: 'Check that a model takes requests, by KServe’s V2',
  handler: async ({ params: { model }, ...sender }) => {
    await findServed(sender, model);
    return { status: 200, body: { name: model, ready: true } };
  },
});

kserve.route('GET', `${root}/v2/models/{model}`, {
  id: 'kserve.getModel',
  access: 'models:read',
  refuses: refusalsOfModels,
  summary:
    'Get the inputs and outputs of a model, by KServe’s V2; `NAME-explainer` is the explainer of a model',
  responses: { 200: json(kserveModelSchema, 'The tensors that `infer` takes and gives') },
  handler: async ({ params, ...sender }) => {
    const { model, isExplainer } = await findServed(sender, params.model);
    return { status: 200, body: metadataOf(params.model, model, isExplainer) };
  },
});

kserve.route('POST', `${root}/v1/models/{model}`, {
  id: 'kserve.explain',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  summary:
    'Explain photos, or predict their classes, by KServe’s V1; `{model}` is `NAME:explain` or `NAME:predict`',
  body: kserveRequestSchema,
  readBody: inlineBody,
  responses: {
    200: json(
      z.union([kserveResponseSchema, kservePredictionsSchema]),
      'The body has the predictions of each instance, and to `:explain` an explanation of each',
    ),
  },
  handler: async ({ params, body, ...sender }) => {
    const [, name, verb] = /^(.{1,200}):(explain|predict)$/.exec(params.model) ?? [];
    if (name === undefined) throw notFound();
    checkParameters(body, verb === 'explain' ? ['method', 'parameters'] : ['top_k']);
    const { method = 'integrated-gradients', parameters = {}, top_k: count = 5 } = body.parameters;
    const sent = body.instances.map(photoOfInstance);
    const chosen = await chooseInlineModel(sender, name);
    if (verb === 'predict') {
      const predicted = await predictInline(sender, chosen, sent);
      const predictions = predicted.map(({ predictions }) => predictions.slice(0, count).map(plain));
      return { status: 200, body: { predictions } };
    }
    const explained = await explainInline(sender, chosen, sent, { method, parameters });
    const answers = await withPictures(sender.services, explained);
    return {
      status: 200,
      body: {
        predictions: answers.map(({ explanation }) => explanation.predictions.map(plain)),
        explanations: answers.map(({ explanation, overlay }) => {
          const [attribution] = explanation.attributions as [(typeof explanation.attributions)[number]];
          return {
            id: explanation.id,
            method: explanation.method,
            target: {
              class_index: attribution.output_index,
              label: attribution.output_display_name,
              ...(attribution.probability === undefined ? {} : { probability: attribution.probability }),
              score: attribution.score,
            },
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

kserve.route('POST', `${root}/v2/models/{model}/infer`, {
  id: 'kserve.infer',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  summary:
    'Predict the classes of photos by KServe’s V2, or explain them: `{model}` is `NAME` or `NAME-explainer`',
  description:
    'Takes and gives tensors as JSON, or in the binary form of V2’s extension `binary_tensor_data`: then the type is `application/octet-stream`, and the header `Inference-Header-Content-Length` says how many bytes of the body are JSON.',
  headers: { 'inference-header-content-length': 'How many bytes of the body are JSON. Omitted: all' },
  rawBody: inferenceRequestDocument,
  readBody: tensorBody,
  responses: {
    200: written(kserveInferenceSchema, 'The tensors that the request asks for', [
      'Inference-Header-Content-Length',
    ]),
  },
  handler: async ({ params, headers, ...sender }, c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const chosen = await findInlineServed(sender, params.model);
    const { isExplainer, model } = chosen;
    const known = metadataOf(params.model, model, isExplainer).outputs.map(({ name }) => name);
    const request = readInferenceRequest(
      bytes,
      headers['inference-header-content-length'],
      known,
      isExplainer,
    );
    const { photos, wish, count, wantsPictures } = request;
    const outputs = isExplainer
      ? explanationOutputs(
          (
            await withArrays(
              sender.services,
              await explainInline(sender, chosen, photos, wish),
              wantsPictures,
            )
          ).map(({ explanation: { predictions, attributions }, attribution, overlay }) => ({
            ...{ predictions, attribution, overlay },
            target: { class_index: attributions[0]!.output_index },
            convergence_delta: attributions[0]!.convergence_delta,
          })),
          wantsPictures,
        )
      : likeliestOutputs(
          (await predictInline(sender, chosen, photos)).map(({ predictions }) => predictions.slice(0, count)),
        );
    const { body, headers: described } = writeV2Body({
      ...{ model: params.model, id: request.id, isBinary: request.isBinary },
      outputs: request.choose(outputs),
    });
    return { status: 200, headers: described, body };
  },
});

const plain = ({ label_zh: _, ...prediction }: Prediction) => prediction;

/** @throws Refusal `unknown_field` for a parameter of the other verb */
function checkParameters({ parameters }: KServeRequest, known: readonly string[]): void {
  const other = Object.entries(parameters).find(
    ([name, value]) => value !== undefined && !known.includes(name),
  );
  if (!other) return;
  const pointer = `/parameters/${other[0]}`;
  const message = `This call has no such parameter. It has ${known.join(' and ')}.`;
  throw new Refusal('unknown_field', `${pointer}: ${message}`, [{ pointer, code: 'unknown_field', message }]);
}

/** The model, or the one that `NAME-explainer` explains. @throws Refusal; 503 for a model that is not ready yet, as KServe says it */
async function findServed({ services, caller: { tenant } }: Sender, name: string) {
  return served(
    name,
    (reference) => chooseModel(services, tenant, reference),
    (model) => ({ model }),
  );
}

const findInlineServed = (
  sender: Sender,
  name: string,
): Promise<Chosen & { readonly isExplainer: boolean }> =>
  served(
    name,
    (reference) => chooseInlineModel(sender, reference),
    (chosen) => chosen,
  );

async function served<T, U>(
  name: string,
  choose: (reference: string) => Promise<T>,
  shown: (chosen: T) => U,
): Promise<U & { readonly isExplainer: boolean }> {
  try {
    return { ...shown(await choose(name)), isExplainer: false };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'model_not_ready') throw new Refusal('capacity', error.message);
    if (error.code !== 'resource_not_found' || !name.endsWith(explainerSuffix)) throw error;
  }
  return { ...shown(await choose(name.slice(0, -explainerSuffix.length))), isExplainer: true };
}
