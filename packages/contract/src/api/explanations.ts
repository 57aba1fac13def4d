import { z } from 'zod';
import { artifactNames, jobErrorCodes } from '../job.ts';
import { answeredMethodIdSchema, methodIdSchema } from '../method-id.ts';
import { modelErrorCodes } from '../models.ts';
import { plainLines, plainText } from '../plain-text.ts';
import { recordOf } from '../record.ts';
import { conventions, parametersSchema, predictionSchema, warningSchema } from '../result.ts';
import { answeredVisualizationSchema, languages, visualizationSchema } from '../style.ts';
import { answeredTargetSchema, targetRequestSchema } from '../target.ts';
import { tasks } from '../task.ts';
import { page, sha256, time } from '../wire.ts';

export const photoSchema = z.union([
  z.strictObject({ upload: z.string().max(40) }),
  z.strictObject({ sha256: sha256.describe('SHA-256 of a photo that this tenant has uploaded') }),
]);

export const modelReferenceSchema = plainText(200)
  .optional()
  .describe('Name or id of a model, or `name@sha256:…`. Omitted: the default model');

/** Seconds for which the service keeps a result: the least, the most, and the default. */
export const retention = { least: 3_600, most: 31_536_000, usual: 2_592_000 } as const;

export const explanationRequestSchema = z
  .strictObject({
    input: photoSchema,
    model: modelReferenceSchema,
    method: methodIdSchema,
    target: targetRequestSchema.default('predicted'),
    parameters: parametersSchema.default({}),
    convention: z.enum(conventions).default('paper'),
    layers: z.array(plainText(500)).max(16).default([]),
    language: z.enum(languages).default('en'),
    output: z
      .strictObject({ visualization: visualizationSchema.prefault({}) })
      .prefault({})
      .describe('How the pictures look. It does not change the computed values'),
    retention_seconds: z
      .int()
      .min(retention.least)
      .max(retention.most)
      .default(retention.usual)
      .describe('How many seconds from now the service keeps the result'),
    metadata: recordOf(plainText(40), plainLines(500))
      .refine((entries) => Object.keys(entries).length <= 16, 'Expected at most 16 entries.')
      .default({})
      .meta({ default: {}, maxProperties: 16 })
      .describe('Your own labels. The service stores them with the explanation and does not use them'),
    webhook: z
      .string()
      .max(40)
      .optional()
      .describe('Id of the webhook endpoint that gets an event when the explanation has ended'),
  })
  .meta({ id: 'ExplanationRequest' });

/** The request that a client writes. It may omit defaults. */
export type ExplanationRequest = z.input<typeof explanationRequestSchema>;

/** The request that the gateway reads, with the defaults. */
export type ExplanationAsked = z.output<typeof explanationRequestSchema>;

export const artifactLinkSchema = z.object({
  name: z.enum(artifactNames),
  url: z
    .string()
    .describe('Path on this API, which stays the same. With your API key it redirects (302) to a signed URL'),
  signed_url: z
    .string()
    .optional()
    .describe(
      'URL of the file in the object store, made for this answer. Fetch it without your API key, before the time `expires_at`. It is absent if the file is deleted',
    ),
  expires_at: time.optional().describe('Time until which the store accepts `signed_url`'),
  sha256,
  bytes: z.int(),
  content_type: z.string(),
});

export type ArtifactLink = z.infer<typeof artifactLinkSchema>;

export const artifactUrlSchema = z
  .object({ url: z.string().describe('Signed URL. Do not send your API key there'), expires_at: time })
  .meta({ id: 'ArtifactUrl' });

export const explanationStatuses = [
  'queued',
  'processing',
  'succeeded',
  'failed',
  'canceled',
  'aborted',
] as const;

/**
 * Codes of refusals that an explanation may end with. The service accepts a request while no worker has told which models there
 * are; what it would have refused then, it finds out later.
 */
const lateRefusalCodes = [
  'resource_not_found',
  'upload_not_ready',
  'model_not_ready',
  'quota_exceeded',
  'concurrency_limited',
  'capacity',
] as const;

export const explanationFailureCodes = [
  ...new Set([...jobErrorCodes, ...lateRefusalCodes, ...modelErrorCodes]),
] as const;

export const explanationFailureSchema = z.object({
  code: z.enum(explanationFailureCodes),
  /** One sentence for the user; never a path, a key or a stack. */
  message: z.string(),
  retryable: z.boolean(),
});

export type ExplanationFailure = z.infer<typeof explanationFailureSchema>;

/** Why some members are null until a worker has told which models there are. */
const untilCatalog = 'Null while the explanation waits for the first worker, which tells the models';

export const explanationSchema = z
  .object({
    id: z.string(),
    object: z.literal('explanation'),
    status: z
      .enum(explanationStatuses)
      .describe(
        '`canceled`: a request or the deadline stopped it. `aborted`: the deadline passed before a worker began',
      ),
    created_at: time,
    started_at: time.nullable(),
    completed_at: time.nullable(),
    input: z.object({ sha256 }),
    model: z.object({
      id: z.string().nullable().describe(untilCatalog),
      name: z.string().nullable().describe(untilCatalog),
      digest: z.string().nullable().describe(untilCatalog),
    }),
    method: answeredMethodIdSchema,
    method_version: z.string(),
    convention: z.enum(conventions),
    parameters: parametersSchema.describe('Every parameter of the method, with the defaults'),
    layers: z.array(z.string()),
    target: answeredTargetSchema,
    language: z.enum(languages),
    cache: z.object({
      status: z.enum(['miss', 'hit', 'collapsed', 'bypass']),
      key: z.string().nullable().describe(untilCatalog),
    }),
    output: z.object({ visualization: answeredVisualizationSchema }),
    metadata: recordOf(z.string(), z.string()),
    progress: z.object({ completed: z.int(), total: z.int() }).nullable(),
    task: z
      .enum(tasks)
      .nullable()
      .describe('What the network decides. Null until a worker has run the network'),
    predictions: z.array(predictionSchema),
    attributions: z.array(
      z.object({
        output_index: z.int(),
        output_display_name: z.string(),
        output_display_name_zh: z.string().nullable(),
        probability: predictionSchema.shape.probability,
        score: predictionSchema.shape.score,
        shape: z.array(z.int()),
        minimum: z.number(),
        maximum: z.number(),
        attribution_sum: z.number(),
        convergence_delta: z.number().nullable(),
        image: z.object({ width: z.int(), height: z.int() }),
        input_region: z
          .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
          .describe('The part of the photo that the network got, in pixels of the upright photo'),
        artifacts: z.object({
          overlay: artifactLinkSchema,
          heatmap: artifactLinkSchema,
          attribution: artifactLinkSchema,
          result: artifactLinkSchema,
        }),
      }),
    ),
    metrics: z
      .object({
        queue_ms: z.number(),
        decode_ms: z.number(),
        compute_ms: z.number(),
        render_ms: z.number(),
        device: z.string(),
      })
      .nullable(),
    warnings: z.array(warningSchema),
    error: explanationFailureSchema.nullable(),
    expires_at: time.describe(
      'Time until which the service keeps the result, unless somebody deletes it before',
    ),
    expired: z.boolean().describe('True if the service had the result and has deleted it'),
    urls: z.object({ self: z.string(), cancel: z.string(), events: z.string() }),
    request_id: z.string().describe('Id of the request that created the explanation'),
  })
  .meta({ id: 'Explanation' });

export type Explanation = z.infer<typeof explanationSchema>;

export const explanationListSchema = page(explanationSchema).meta({ id: 'ExplanationList' });

export type ExplanationList = z.infer<typeof explanationListSchema>;
