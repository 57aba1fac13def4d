import { z } from 'zod';
import { predictionRequestSchema } from './api/predictions.ts';
import { problemSchema } from './api/problem.ts';
import { answeredMethodIdSchema, methodIdSchema } from './method-id.ts';
import { plainText } from './plain-text.ts';
import { recordOf } from './record.ts';
import { predictionSchema } from './result.ts';
import { growing } from './wire.ts';

/** Requests and answers of other services, for images: KServe's protocols and Vertex AI. */

/** The largest body that contains photos, in bytes, and the most photos in one body. */
export const inlineLimits = { max_bytes: 5_242_880, max_instances: 8 } as const;

const base64 = z.string().min(1).meta({ contentEncoding: 'base64' });
const encoded = z.strictObject({ b64: base64 });
/** A photo, in one of the forms that clients of those services send. */
const instanceSchema = z.union([
  encoded,
  z.strictObject({ image: encoded }),
  z.strictObject({ image_bytes: encoded }),
  z.strictObject({ data: base64 }),
]);
export type Instance = z.infer<typeof instanceSchema>;
const instances = z.array(instanceSchema).min(1).max(inlineLimits.max_instances);

export const kserveRequestSchema = z
  .strictObject({
    instances,
    parameters: z
      .strictObject({
        method: methodIdSchema.optional().describe('To explain. Omitted: `integrated-gradients`'),
        parameters: recordOf(plainText(100), z.unknown())
          .optional()
          .describe('To explain: the parameters of the method'),
        top_k: predictionRequestSchema.shape.top_k
          .unwrap()
          .optional()
          .describe('To predict: how many classes. Omitted: 5'),
      })
      .prefault({})
      .describe('Parameters of Whylight'),
  })
  .meta({ id: 'KServeRequest' });
export type KServeRequest = z.output<typeof kserveRequestSchema>;

const steps = z.strictObject({ stepCount: z.int().min(1).max(1_000) });
export const vertexRequestSchema = z
  .strictObject({
    instances,
    parameters: z.unknown().optional().describe('The service ignores this member'),
    deployedModelId: z.string().optional().describe('The service ignores this member'),
    explanationSpecOverride: z
      .strictObject({
        parameters: z
          .strictObject({
            integratedGradientsAttribution: steps.optional(),
            sampledShapleyAttribution: z.strictObject({ pathCount: z.int().min(1).max(50) }).optional(),
            topK: z.literal(1).optional(),
          })
          .optional(),
      })
      .optional(),
  })
  .meta({ id: 'VertexExplainRequest' });
export type VertexRequest = z.output<typeof vertexRequestSchema>;

const prediction = predictionSchema.omit({ label_zh: true });
const pictureSchema = z.object({ b64_png: z.string() });
export const kserveResponseSchema = z
  .object({
    predictions: z
      .array(z.array(prediction))
      .describe('The predictions of each instance. The most likely class comes first'),
    explanations: z.array(
      z.object({
        id: z.string().describe('Id of the explanation for GET /v1/explanations/{id}'),
        method: answeredMethodIdSchema,
        target: prediction,
        shape: z.array(z.int()),
        sum: z.number(),
        convergence_delta: z.number().nullable(),
        overlay: pictureSchema,
        urls: z.object({ self: z.string(), attribution: z.string() }),
      }),
    ),
  })
  .meta({ id: 'KServeExplainResponse' });

export const kservePredictionsSchema = z
  .object({ predictions: kserveResponseSchema.shape.predictions })
  .meta({ id: 'KServePredictResponse' });

export const kserveModelsSchema = z.object({ models: z.array(z.string()) }).meta({ id: 'KServeModels' });

export const kserveReadySchema = z
  .object({ name: z.string(), ready: z.boolean() })
  .meta({ id: 'KServeModelReady' });

export const kserveServerSchema = z
  .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .meta({ id: 'KServeServer' });

const tensorSchema = z.object({
  name: z.string(),
  datatype: growing(['FP32', 'INT64', 'BYTES']),
  shape: z.array(z.int()),
});

export const kserveModelSchema = z
  .object({
    name: z.string(),
    platform: z.string(),
    inputs: z.array(tensorSchema),
    outputs: z.array(tensorSchema).describe('The request decides a size of -1'),
  })
  .meta({ id: 'KServeModel' });

export const kserveInferenceSchema = z
  .object({
    model_name: z.string(),
    id: z.string().optional().describe('The `id` of the request'),
    parameters: recordOf(z.string(), z.string()).optional(),
    outputs: z.array(
      tensorSchema.extend({
        parameters: recordOf(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
        data: z
          .array(z.union([z.string(), z.number()]).nullable())
          .optional()
          .describe('In the order of rows. Absent if the bytes of the tensor follow the JSON'),
      }),
    ),
  })
  .meta({ id: 'KServeInferResponse' });

/** A refusal of KServe's routes: a problem, and its `detail` where clients of KServe look for it. */
export const kserveProblemSchema = problemSchema
  .extend({ error: z.string().describe('The same as `detail`') })
  .meta({ id: 'KServeProblem' });

export const vertexResponseSchema = z
  .object({
    deployedModelId: z.string(),
    explanations: z.array(
      z.object({
        attributions: z.array(
          z.object({
            outputIndex: z.array(z.int()),
            outputDisplayName: z.string(),
            outputName: z.string(),
            instanceOutputValue: z.number().nullable().describe('The value that the explanation explains'),
            approximationError: z.number().nullable(),
            featureAttributions: z.object({ image: pictureSchema }),
          }),
        ),
      }),
    ),
    predictions: z.array(
      z.object({
        ids: z.array(z.string()),
        displayNames: z.array(z.string()),
        confidences: z
          .array(z.number().nullable())
          .describe('Probabilities. If the network gives none, its scores'),
      }),
    ),
  })
  .meta({ id: 'VertexExplainResponse' });
