import { z } from 'zod';
import {
  artifactNames,
  conventions,
  jobErrorSchema,
  mostPredictions,
  parametersSchema,
  predictionSchema,
  targetSchema,
} from './job.ts';
import { languages, visualizationSchema } from './look.ts';
import { modelSchema } from './models.ts';

/**
 * The resources of the public HTTP API, as they are on the wire. `meta({ id })` names a schema in the OpenAPI
 * document that the gateway generates.
 */

/** Largest photo, in bytes, and the types that can be uploaded. */
export const uploadLimits = {
  max_bytes: 26_214_400,
  max_pixels: 25_000_000,
  types: ['image/jpeg', 'image/png', 'image/webp'],
} as const;

export const scopes = [
  'uploads:write',
  'uploads:read',
  'explanations:write',
  'explanations:read',
  'models:read',
  'models:write',
  'usage:read',
  'admin:keys',
  'admin:audit',
  'admin:webhooks',
] as const;
export type Scope = (typeof scopes)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');
const time = z.iso.datetime();

/** Lists are pages: ask for the next with `starting_after` = `next_cursor`. */
const page = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  });

/** Every answer that is not 2xx or 3xx (RFC 9457, `application/problem+json`). */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    request_id: z.string(),
    retryable: z.boolean(),
    errors: z
      .array(z.strictObject({ pointer: z.string(), code: z.string(), message: z.string() }))
      .optional(),
    'violated-policies': z.array(z.string()).optional().describe('Of 429: which of RateLimit-Policy'),
  })
  .meta({ id: 'Problem', description: 'What went wrong, for people (`detail`) and programs (`code`).' });
export type Problem = z.infer<typeof problemSchema>;

export const tenantRequestSchema = z
  .strictObject({ name: z.string().trim().min(1).max(100) })
  .meta({ id: 'TenantRequest' });
export const keyRequestSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(100).optional(),
    scopes: z.array(z.enum(scopes)).min(1).optional().describe('Omitted: every scope of the caller'),
    expires_at: time.optional(),
  })
  .meta({ id: 'KeyRequest' });
export const keySchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('key'),
    name: z.string().nullable(),
    scopes: z.array(z.enum(scopes)),
    created_at: time,
    expires_at: time.nullable(),
    revoked_at: time.nullable(),
  })
  .meta({ id: 'Key' });
export const newKeySchema = keySchema
  .extend({ secret: z.string().describe('The key itself. Shown this once, stored only as a hash.') })
  .meta({ id: 'NewKey' });
export const rotationRequestSchema = z
  .strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(0)
      .describe('How long the old key is still good, but never beyond its own end'),
  })
  .meta({ id: 'RotationRequest' });
export const keyListSchema = page(keySchema).meta({ id: 'KeyList' });
export const tenantSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('tenant'),
    name: z.string(),
    created_at: time,
    key: newKeySchema,
  })
  .meta({ id: 'Tenant' });
/** A tenant as the operator sees it. */
export const tenantViewSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('tenant'),
    name: z.string(),
    created_at: time,
    suspended_at: time.nullable().describe('Since when its keys are refused'),
  })
  .meta({ id: 'TenantView' });
export type TenantView = z.infer<typeof tenantViewSchema>;
export const tenantListSchema = page(tenantViewSchema).meta({ id: 'TenantList' });
export type Key = z.infer<typeof keySchema>;
export type NewKey = z.infer<typeof newKeySchema>;
export type Tenant = z.infer<typeof tenantSchema>;

export const uploadRequestSchema = z
  .strictObject({
    content_type: z.string().describe(uploadLimits.types.join(', ')),
    content_length: z.int().min(1).describe(`Bytes, at most ${uploadLimits.max_bytes}`),
    sha256,
  })
  .meta({ id: 'UploadRequest' });
export type UploadRequest = z.infer<typeof uploadRequestSchema>;

export const uploadSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('upload'),
    status: z.enum(['pending', 'ready', 'rejected', 'expired']),
    content_type: z.string(),
    content_length: z.int(),
    sha256,
    created_at: time,
    upload: z
      .strictObject({
        method: z.literal('PUT'),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        expires_at: time,
      })
      .nullable()
      .describe('Where to PUT the bytes, with these headers; null when they are already there'),
    limits: z.strictObject({
      max_bytes: z.int(),
      max_pixels: z.int(),
      types: z.array(z.string()),
    }),
  })
  .meta({ id: 'Upload' });
export type Upload = z.infer<typeof uploadSchema>;

const photoSchema = z.union([
  z.strictObject({ upload: z.string().max(40) }),
  z.strictObject({ sha256: sha256.describe('Bytes that this tenant has uploaded') }),
]);
const modelReferenceSchema = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Name, id, or name@sha256:…; omitted: the default model');

/** Seconds for which a result is kept, at least, at most, and unless said otherwise. */
export const retention = { least: 3_600, most: 31_536_000, usual: 2_592_000 } as const;

export const explanationRequestSchema = z
  .strictObject({
    input: photoSchema,
    model: modelReferenceSchema,
    method: z.string().min(1).max(100),
    target: targetSchema.default('predicted'),
    parameters: parametersSchema.default({}),
    convention: z.enum(conventions).default('paper'),
    layers: z.array(z.string().min(1).max(500)).max(16).default([]),
    language: z.enum(languages).default('en'),
    output: z
      .strictObject({ visualization: visualizationSchema.prefault({}) })
      .prefault({})
      .describe('How the pictures are drawn; changes nothing of what is computed'),
    retention_seconds: z
      .int()
      .min(retention.least)
      .max(retention.most)
      .default(retention.usual)
      .describe('How long the result is kept, from now on'),
    metadata: z
      .record(z.string().min(1).max(40), z.string().max(500))
      .refine((entries) => Object.keys(entries).length <= 16, 'Expected at most 16 entries.')
      .default({})
      .describe('Yours: kept with the explanation, and no part of the question'),
    webhook: z.string().max(40).optional().describe('Id of the endpoint that is told when it has ended'),
  })
  .meta({ id: 'ExplanationRequest' });
/** As a client writes it: defaults may be omitted. */
export type ExplanationRequest = z.input<typeof explanationRequestSchema>;
/** As the gateway reads it: defaults filled in. */
export type ExplanationAsked = z.output<typeof explanationRequestSchema>;

/** Explanations that a batch holds, at most. */
export const largestBatch = 100;

export const batchRequestSchema = z
  .strictObject({
    items: z
      .array(z.record(z.string(), z.unknown()))
      .min(1)
      .max(largestBatch)
      .describe('Each as the body of POST /v1/explanations. What is wrong with one is said of that one'),
  })
  .meta({ id: 'BatchRequest' });
export type BatchRequest = z.input<typeof batchRequestSchema>;

export const artifactLinkSchema = z.strictObject({
  name: z.enum(artifactNames),
  url: z.string().describe('Path on this API; answers 302 to a signed URL'),
  sha256,
  bytes: z.int(),
  content_type: z.string(),
});
export type ArtifactLink = z.infer<typeof artifactLinkSchema>;

export const artifactUrlSchema = z
  .strictObject({ url: z.string().describe('Signed: send no key there'), expires_at: time })
  .meta({ id: 'ArtifactUrl' });

export const explanationStatuses = [
  'queued',
  'processing',
  'succeeded',
  'failed',
  'canceled',
  'aborted',
] as const;

export const explanationSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('explanation'),
    status: z
      .enum(explanationStatuses)
      .describe(
        '`canceled`: on demand, or at its deadline; `aborted`: at its deadline, before anything was done',
      ),
    created_at: time,
    started_at: time.nullable(),
    completed_at: time.nullable(),
    input: z.strictObject({ sha256 }),
    model: z.strictObject({ id: z.string(), name: z.string(), digest: z.string() }),
    method: z.string(),
    method_version: z.string(),
    convention: z.enum(conventions),
    parameters: parametersSchema.describe('Every parameter of the method, defaults filled in'),
    layers: z.array(z.string()),
    target: targetSchema,
    language: z.enum(languages),
    cache: z.strictObject({
      status: z.enum(['miss', 'hit', 'collapsed', 'bypass']),
      key: z.string(),
    }),
    output: z.strictObject({ visualization: visualizationSchema }),
    metadata: z.record(z.string(), z.string()),
    progress: z.strictObject({ completed: z.int(), total: z.int() }).nullable(),
    predictions: z.array(predictionSchema),
    attributions: z.array(
      z.strictObject({
        output_index: z.int(),
        output_display_name: z.string(),
        output_display_name_zh: z.string().nullable(),
        score: z.number(),
        shape: z.array(z.int()),
        minimum: z.number(),
        maximum: z.number(),
        attribution_sum: z.number(),
        convergence_delta: z.number().nullable(),
        image: z.strictObject({ width: z.int(), height: z.int() }),
        input_region: z
          .strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
          .describe('Where the network looked, in pixels of the upright photo'),
        artifacts: z.strictObject({
          overlay: artifactLinkSchema,
          heatmap: artifactLinkSchema,
          attribution: artifactLinkSchema,
          result: artifactLinkSchema,
        }),
      }),
    ),
    metrics: z
      .strictObject({
        queue_ms: z.number(),
        decode_ms: z.number(),
        compute_ms: z.number(),
        render_ms: z.number(),
        device: z.string(),
      })
      .nullable(),
    warnings: z.array(z.string()),
    error: jobErrorSchema.nullable(),
    expires_at: time.describe('Until when the result is kept, if it is not deleted before'),
    expired: z.boolean().describe('Whether the result was there and has been deleted'),
    urls: z.strictObject({ self: z.string(), cancel: z.string(), events: z.string() }),
    request_id: z.string().describe('Of the request that created it'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof explanationSchema>;
export const explanationListSchema = page(explanationSchema).meta({ id: 'ExplanationList' });
export type ExplanationList = z.infer<typeof explanationListSchema>;

export const renderingRequestSchema = z
  .strictObject({
    visualization: visualizationSchema.prefault({}),
    language: z.enum(languages).optional().describe('Omitted: that of the explanation'),
  })
  .meta({ id: 'RenderingRequest' });
export type RenderingRequest = z.input<typeof renderingRequestSchema>;

export const renderingSchema = z
  .strictObject({
    object: z.literal('rendering'),
    explanation: z.string(),
    visualization: visualizationSchema,
    language: z.enum(languages),
    cache: z.strictObject({ status: z.enum(['miss', 'hit']), key: z.string() }),
    artifacts: z.strictObject({ overlay: artifactLinkSchema, heatmap: artifactLinkSchema }),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Rendering' });
export type Rendering = z.infer<typeof renderingSchema>;

export const predictionRequestSchema = z
  .strictObject({
    input: photoSchema,
    model: modelReferenceSchema,
    top_k: z.int().min(1).max(mostPredictions).default(5),
  })
  .meta({ id: 'PredictionRequest' });
export type PredictionRequest = z.input<typeof predictionRequestSchema>;

export const predictionsSchema = z
  .strictObject({
    object: z.literal('predictions'),
    input: z.strictObject({ sha256 }),
    model: z.strictObject({ id: z.string(), name: z.string(), digest: z.string() }),
    predictions: z.array(predictionSchema).describe('Highest score first'),
    cache: z.strictObject({ status: z.enum(['miss', 'hit', 'collapsed', 'bypass']), key: z.string() }),
    warnings: z.array(z.string()),
    request_id: z.string(),
  })
  .meta({ id: 'Predictions' });
export type Predictions = z.infer<typeof predictionsSchema>;

const count = z.int();
export const batchSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('batch'),
    status: z.enum(['processing', 'completed', 'canceled']),
    created_at: time,
    counts: z.strictObject({
      total: count,
      waiting: count,
      refused: count,
      ...Object.fromEntries(explanationStatuses.map((status) => [status, count])),
    } as { total: typeof count; waiting: typeof count; refused: typeof count } & Record<
      (typeof explanationStatuses)[number],
      typeof count
    >),
    items: z.array(
      z.strictObject({
        index: z.int(),
        status: z
          .enum(['waiting', 'refused', ...explanationStatuses])
          .describe('`waiting`: for a place within your limits; `refused`: never an explanation'),
        explanation: z.string().nullable(),
        error: problemSchema
          .pick({ code: true, detail: true, retryable: true, errors: true })
          .nullable()
          .describe('Of one that was refused'),
      }),
    ),
    urls: z.strictObject({ self: z.string(), cancel: z.string() }),
    request_id: z.string(),
  })
  .meta({ id: 'Batch' });
export type Batch = z.infer<typeof batchSchema>;

export const webhookEndpointRequestSchema = z
  .strictObject({ url: z.string().min(1).max(2_000).describe('https, port 443, a public host') })
  .meta({ id: 'WebhookEndpointRequest' });
export const webhookEndpointChangeSchema = z
  .strictObject({
    url: z.string().min(1).max(2_000).optional(),
    status: z.enum(['enabled', 'disabled']).optional(),
  })
  .meta({ id: 'WebhookEndpointChange' });
export type WebhookEndpointChange = z.input<typeof webhookEndpointChangeSchema>;
export const webhookEndpointSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('webhook_endpoint'),
    url: z.string(),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: z.string().nullable(),
    previous_secret_until: time
      .nullable()
      .describe('Until when the secret before the last rotation signs too'),
    created_at: time,
  })
  .meta({ id: 'WebhookEndpoint' });
export const newWebhookEndpointSchema = webhookEndpointSchema
  .extend({ secret: z.string().describe('Verifies what comes (Standard Webhooks). Shown this once.') })
  .meta({ id: 'NewWebhookEndpoint' });
export type NewWebhookEndpoint = z.infer<typeof newWebhookEndpointSchema>;
export const webhookEndpointListSchema = page(webhookEndpointSchema).meta({ id: 'WebhookEndpointList' });
export type WebhookEndpoint = z.infer<typeof webhookEndpointSchema>;
export const secretRotationRequestSchema = z
  .strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(86_400)
      .describe('How long the old secret signs too'),
  })
  .meta({ id: 'SecretRotationRequest' });
export const webhookDeliverySchema = z
  .strictObject({
    id: z.string().describe('The `webhook-id`, the same however often it is sent'),
    object: z.literal('webhook_delivery'),
    type: z.string(),
    status: z.enum(['pending', 'delivered', 'failed']),
    created_at: time,
    next_attempt_at: time.nullable(),
    attempts: z
      .array(z.strictObject({ at: time, status: z.int().nullable(), error: z.string().nullable() }))
      .describe('The latest, newest first'),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;
export const webhookDeliveryListSchema = page(webhookDeliverySchema).meta({ id: 'WebhookDeliveryList' });

export const methodSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('method'),
    title: z.string(),
    summary: z.string(),
    paper: z.string(),
    version: z.string(),
    kind: z.enum(['map', 'pixels']),
    requires: z.array(z.enum(['gradients', 'target_layer', 'attention'])),
    conventions: z.array(z.enum(conventions)),
    parameters: parametersSchema.describe('JSON Schema of the parameters'),
    cost: z
      .strictObject({ formula: z.string(), default_units: z.int() })
      .describe('Compute units: in words of the parameters, and with their defaults at 224 by 224 pixels'),
    works: z.boolean().nullable().describe('On the model asked for with ?model=; null without'),
    reason: z.string().nullable().describe('Why it does not'),
  })
  .meta({ id: 'Method' });
export const methodListSchema = page(methodSchema).meta({ id: 'MethodList' });
export type MethodList = z.infer<typeof methodListSchema>;

export const modelListSchema = page(modelSchema).meta({ id: 'ModelList' });
export type ModelList = z.infer<typeof modelListSchema>;

const most = z.int().min(0).max(1_000_000_000);
export const limitsRequestSchema = z
  .strictObject({
    requests: most.optional().describe('Requests in any 60 seconds'),
    concurrency: most.optional().describe('Computations that wait or run at a time'),
    compute_units: most.optional().describe('Compute units in a day (UTC): runs of a network on a picture'),
  })
  .meta({ id: 'LimitsRequest' });
export const limitsSchema = z
  .strictObject({
    object: z.literal('limits'),
    requests: z.strictObject({
      limit: z.int(),
      window_seconds: z.int(),
      remaining: z.int(),
      resets_in_seconds: z.int(),
    }),
    concurrency: z.strictObject({ limit: z.int(), in_use: z.int() }),
    compute_units: z.strictObject({
      limit: z.int(),
      window_seconds: z.int(),
      remaining: z.int(),
      resets_in_seconds: z.int(),
    }),
  })
  .meta({ id: 'Limits' });
export type LimitsView = z.infer<typeof limitsSchema>;

export const usageSchema = z
  .strictObject({
    object: z.literal('usage'),
    date: z.string().describe('Day in UTC'),
    requests: z.int(),
    explanations: z.int().describe('Computed; answers from the cache cost nothing'),
    compute_units: z.int(),
  })
  .meta({ id: 'Usage' });
export type Usage = z.infer<typeof usageSchema>;
export const usageListSchema = page(usageSchema).meta({ id: 'UsageList' });

export const auditEventSchema = z
  .strictObject({
    id: z.string(),
    object: z.literal('audit_event'),
    created_at: time,
    actor: z.string().describe('Id of the key that was used, or `operator`'),
    action: z.string().describe('`POST /v1/keys/{id}/rotate`'),
    subject: z.string().nullable().describe('Id of what it was done to'),
    outcome: z.string().describe('`done`, or the code of the problem'),
    request_id: z.string(),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEvent = z.infer<typeof auditEventSchema>;
export const auditEventListSchema = page(auditEventSchema).meta({ id: 'AuditEventList' });
