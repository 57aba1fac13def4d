import { z } from 'zod';
import { answeredMethodIdSchema, methodIdSchema } from './method-id.ts';
import { plainText } from './plain-text.ts';
import { recordOf } from './record.ts';
import { predictionSchema } from './result.ts';

/** Requests and answers of other services, for images: KServe's V1 protocol and Vertex AI. */

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
        method: methodIdSchema.default('integrated-gradients'),
        parameters: recordOf(plainText(100), z.unknown()).default({}).meta({ default: {} }),
      })
      .prefault({})
      .describe('Parameters of Whylight: the method, and the parameters of the method'),
  })
  .meta({ id: 'KServeExplainRequest' });
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
