import { z } from 'zod';
import { checkpointSchema, checkpointSourceSchema } from './checkpoint.ts';
import { nonceSchema } from './claim.ts';
import { layerNamesSchema, modelSourceSchema, notRunSchema } from './models.ts';
import { recordOf } from './record.ts';
import { conventions, parametersSchema, resultSchema, warningSchema } from './result.ts';
import { styleSchema } from './style.ts';
import { targetSchema } from './target.ts';
import { tasks } from './task.ts';
import { sha256 } from './wire.ts';

/**
 * The messages between gateway and worker. The gateway posts a `Job` to the worker. The worker answers 202 at once, or 503
 * with Retry-After when it is full. It claims the attempt (see claim.ts) and later posts `Report`s to the gateway. Each report
 * carries the attempt and the lease of the job and the nonce of the claim; the gateway refuses any other report.
 */

/**
 * The paths of the worker: POST a job; POST a rendering; GET the models that the worker can explain, where the query `gateway`
 * names the gateway's address; POST a tenant's model to validate it or to load it. A worker refuses what another worker may
 * take by 400, 401, 404, 413 or 421 (see presence.ts), and has no room by 503. Presence reports bring it the orders to stop.
 *
 * The version in a path changes when gateway and worker of two releases would misunderstand each other. The call then
 * fails, and the job waits in the queue. Since v2 of jobs the worker claims a job first, since v3 it knows the numerics version of a
 * question, since v4 its score; since v5 a worker that stops hands its attempts back, and goes on from the checkpoint of another.
 * Since v2 of renderings a result names its task.
 */
export const workerPaths = {
  jobs: '/v5/jobs',
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

/** The question that a computation answers. Every member is part of the cache key. */
export const questionSchema = z.strictObject({
  image: sha256,
  /** Digest of the model's bytes: `sha256:<hex>`. */
  model: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** Digest of the preprocessing in the model's manifest: `sha256:<hex>`. */
  preprocessing: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  method: z.string(),
  method_version: z.string(),
  /** `numericsVersion` of `@whylight/core`. Questions of earlier releases, which may still be stored or queued, lack it. */
  numerics_version: z.string().max(20).optional(),
  convention: z.enum(conventions),
  /** Resolved: every parameter of the method is present. */
  parameters: parametersSchema,
  layers: z.array(z.string()),
  target: targetSchema,
  /** The score of the target that is explained, resolved. Questions of earlier releases lack it and mean the method's default. */
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
  /** The tenant's own model, whose digest is in the question. Absent if the model comes with the worker. */
  model: modelSourceSchema.optional(),
  /** The style of the pictures. */
  style: styleSchema,
  input: inputSchema,
  /**
   * The prefix of the names of the attempt's artifacts. The gateway chooses it, and `artifactPrefix` adds the nonce of the
   * claim; the worker chooses no part of a name.
   */
  output_prefix: z.string(),
  /** Where an earlier attempt of the same run has stopped. Absent: begin at the beginning. */
  checkpoint: checkpointSourceSchema.optional(),
  /** The worker posts the claim of the attempt here. */
  claim_url: z.url(),
  /** The worker posts its reports here. */
  report_url: z.url(),
  /** Id of the request that started the computation. */
  request_id: z.string(),
  /** W3C Trace Context of the gateway's span. Jobs of earlier releases lack it. */
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
  'out_of_memory',
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
  /** The worker still has the job, waiting or running; nothing else has changed. */
  z.object({ ...about, status: z.literal('alive') }),
  z.object({ ...about, status: z.literal('progress'), completed: z.int(), total: z.int() }),
  z.object({
    ...about,
    status: z.literal('succeeded'),
    result: resultSchema,
    artifacts: z.array(artifactSchema),
  }),
  z.object({ ...about, status: z.literal('failed'), error: jobErrorSchema }),
  /**
   * The worker stops, or has lost its device, and gives the attempt back. `checkpoint` is null if this attempt has done no
   * sample that the one before had not done, or has none.
   */
  z.object({ ...about, status: z.literal('handed_back'), checkpoint: checkpointSchema.nullable() }),
]);
export type Report = z.infer<typeof reportSchema>;

/** POST /v2/renderings on the worker: render a finished explanation in another style. This runs no model. */
export const renderingJobSchema = z.strictObject({
  /** SHA-256 of the photo. */
  image: sha256,
  input: inputSchema,
  attribution: artifactSchema,
  result: resultSchema,
  style: styleSchema,
  /** Prefix of the names of the pictures. */
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

/** GET /v1/models on the worker: the models that this worker can explain. */
export const catalogModelSchema = z.object({
  name: z.string(),
  digest: z.string(),
  preprocessing: z.string(),
  classes: z.int(),
  input_shape: z.array(z.int()),
  labels: z.array(z.object({ en: z.string(), zh: z.string().nullable() })).nullable(),
  /** Method id to the reason why the method does not work, or to null if it can be requested. */
  methods: recordOf(z.string(), z.string().nullable()),
  not_run: notRunSchema,
  layers: layerNamesSchema,
  /** Catalogues of earlier releases lack it. */
  task: z.enum(tasks).optional(),
  default: z.boolean(),
});
export type CatalogModel = z.infer<typeof catalogModelSchema>;
export const catalogSchema = z.object({
  device: z.string(),
  models: z.array(catalogModelSchema),
});
export type Catalog = z.infer<typeof catalogSchema>;
