import { z } from 'zod';
import { nonceSchema } from './claim.ts';
import { layerNamesSchema, modelSourceSchema, notRunSchema } from './models.ts';
import { recordOf } from './record.ts';
import { conventions, parametersSchema, resultSchema, warningSchema } from './result.ts';
import { styleSchema } from './style.ts';
import { targetSchema } from './target.ts';
import { tasks } from './task.ts';
import { sha256 } from './wire.ts';

/**
 * What the gateway and the worker say to each other. The gateway posts a `Job` to the worker, which answers
 * 202 at once (or 503 with Retry-After when full), claims the attempt (see claim.ts) and later posts `Report`s to the
 * gateway. Each carries the attempt and lease of the job and the nonce of the claim: all others are refused.
 */

/**
 * Where the worker takes jobs (POST), drops them (DELETE jobs/{key}?attempt=n), draws again (POST renderings), says
 * what it can explain (GET), and where it examines a tenant's model or gets one ready (POST). A worker that takes jobs at
 * v2 or later claims them first, one at v3 knows the numerics version of a question, and one at v4 its score; gateway and
 * worker of different releases send each other away, and the job waits in the queue. Renderings at v2 have results that
 * name their task.
 */
export const workerPaths = {
  jobs: '/v4/jobs',
  models: '/v1/models',
  renderings: '/v2/renderings',
  validations: '/v1/validations',
  warm: '/v1/warm',
} as const;

export const artifactNames = ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'] as const;
export type ArtifactName = (typeof artifactNames)[number];

export const artifactContentTypes = {
  'overlay.png': 'image/png',
  'heatmap.png': 'image/png',
  'attribution.npy': 'application/octet-stream',
  'result.json': 'application/json',
} as const satisfies Record<ArtifactName, string>;

/** The computation: everything here is part of the cache key. */
export const questionSchema = z.strictObject({
  image: sha256,
  /** Digest of the model's bytes: `sha256:<hex>`. */
  model: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** Digest of the preprocessing in the model's manifest: `sha256:<hex>`. */
  preprocessing: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  method: z.string(),
  method_version: z.string(),
  /** `numericsVersion` of `@whylight/core`; absent from questions of earlier releases, which may still be stored or queued. */
  numerics_version: z.string().max(20).optional(),
  convention: z.enum(conventions),
  /** Resolved: every parameter that the method has is present. */
  parameters: parametersSchema,
  layers: z.array(z.string()),
  target: targetSchema,
  /** What of the target is explained, resolved; absent from questions of earlier releases: then the method's own. */
  score: z.string().max(20).optional(),
});
export type Question = z.infer<typeof questionSchema>;

const inputSchema = z.strictObject({
  object: z.string(),
  content_type: z.string(),
  bytes: z.int().min(1),
});

export const jobSchema = z.strictObject({
  /** The computation's key (see cache-key.ts); object names and reports carry it. */
  key: sha256,
  attempt: z.int().min(1),
  lease: z.string().min(16),
  question: questionSchema,
  /** The tenant's own model, which the question names by its digest; absent: one of the worker's. */
  model: modelSourceSchema.optional(),
  /** How its pictures are drawn. */
  style: styleSchema,
  input: inputSchema,
  /**
   * What the names of the attempt's artifacts begin with, as the gateway names it; `artifactPrefix` adds the nonce of the
   * claim. A worker makes up no other part of a name.
   */
  output_prefix: z.string(),
  /** Where the attempt is claimed. */
  claim_url: z.url(),
  /** Where reports go. */
  report_url: z.url(),
  /** Of the request that began it. */
  request_id: z.string(),
  /** W3C Trace Context of the gateway's span; absent from jobs of earlier releases. */
  traceparent: z.string().max(100).optional(),
});
export type Job = z.infer<typeof jobSchema>;

export const artifactSchema = z.object({
  name: z.enum(artifactNames),
  object: z.string(),
  sha256,
  bytes: z.int(),
  content_type: z.string(),
});
export type Artifact = z.infer<typeof artifactSchema>;

export const jobErrorCodes = [
  'invalid_image',
  'image_too_large',
  'unsupported_media_type',
  'upload_mismatch',
  'upload_not_found',
  'artifact_corrupt',
  'model_not_found',
  'model_deleted',
  'method_not_supported',
  'target_out_of_range',
  'invalid_parameter',
  'non_finite_output',
  'gpu_out_of_memory',
  'storage_unavailable',
  'deadline_exceeded',
  'worker_crashed',
  'worker_unreachable',
  'internal',
] as const;

export const jobErrorSchema = z.object({
  code: z.enum(jobErrorCodes),
  /** One sentence for the user; never a path, a key or a stack. */
  message: z.string(),
  retryable: z.boolean(),
});
export type JobError = z.infer<typeof jobErrorSchema>;

const about = { attempt: z.int().min(1), lease: z.string(), nonce: nonceSchema };
export const reportSchema = z.discriminatedUnion('status', [
  z.object({ ...about, status: z.literal('processing') }),
  /** Nothing new: the job is still with the worker, waiting or at work. */
  z.object({ ...about, status: z.literal('alive') }),
  z.object({ ...about, status: z.literal('progress'), completed: z.int(), total: z.int() }),
  z.object({
    ...about,
    status: z.literal('succeeded'),
    result: resultSchema,
    artifacts: z.array(artifactSchema),
  }),
  z.object({ ...about, status: z.literal('failed'), error: jobErrorSchema }),
]);
export type Report = z.infer<typeof reportSchema>;

/** POST /v2/renderings on the worker: a finished explanation drawn again. No model is asked. */
export const renderingJobSchema = z.strictObject({
  /** SHA-256 of the photo. */
  image: sha256,
  input: inputSchema,
  attribution: artifactSchema,
  result: resultSchema,
  style: styleSchema,
  /** Prefix under which the pictures are written. */
  output_prefix: z.string(),
  request_id: z.string(),
});
export type RenderingJob = z.infer<typeof renderingJobSchema>;

export const renderedSchema = z.object({
  /** `overlay.png` and `heatmap.png`. */
  artifacts: z.array(artifactSchema),
  warnings: z.array(warningSchema),
});
export type Rendered = z.infer<typeof renderedSchema>;

/** GET /v1/models on the worker: what this worker can explain. */
export const catalogModelSchema = z.object({
  name: z.string(),
  digest: z.string(),
  preprocessing: z.string(),
  classes: z.int(),
  input_shape: z.array(z.int()),
  labels: z.array(z.object({ en: z.string(), zh: z.string().nullable() })).nullable(),
  /** Method id to the reason why it does not work; to null where it can be asked for. */
  methods: recordOf(z.string(), z.string().nullable()),
  not_run: notRunSchema,
  layers: layerNamesSchema,
  /** Absent from catalogues of earlier releases. */
  task: z.enum(tasks).optional(),
  default: z.boolean(),
});
export type CatalogModel = z.infer<typeof catalogModelSchema>;
export const catalogSchema = z.object({
  device: z.string(),
  models: z.array(catalogModelSchema),
});
export type Catalog = z.infer<typeof catalogSchema>;
