import { z } from 'zod';
import { recordOf } from './record.ts';
import { tasks } from './task.ts';
import { sha256, time } from './wire.ts';

/** Models that tenants bring: as the public API has them, and as gateway and worker speak of them. */

/** What `preprocessing` may be called instead of being spelled out. */
export const presetNames = ['imagenet', 'imagenet-half', 'imagenet-caffe'] as const;

const most = 100_000;
const perChannel = z.array(z.number().min(-most).max(most)).min(1).max(1000).readonly();
const side = z.int().min(1).max(4096);
const sides = z.tuple([side, side]).readonly().describe('Height and width');
const level = z.int().min(0).max(255);

/** How a photo becomes the network's input; what is left out is as for ImageNet's classifiers. */
export const preprocessingSchema = z
  .strictObject({
    layout: z.enum(['NCHW', 'NHWC']).optional(),
    channels: z
      .union([z.enum(['rgb', 'bgr', 'gray', 'rgba', 'RGB', 'BGR']), z.int().min(1).max(1000)])
      .optional()
      .describe('A number: so many bands of a file that has them'),
    size: z.union([side, sides]).nullable().optional().describe('What the network takes'),
    fit: z
      .enum(['crop', 'stretch', 'letterbox'])
      .optional()
      .describe(
        'Whether the photo keeps its proportions and is cropped, loses them, or keeps them and is padded',
      ),
    resize: z
      .union([side, sides, z.literal('none')])
      .nullable()
      .optional()
      .describe("The short side, or exactly that size; null: to the network's size"),
    crop: z
      .union([z.number().positive().max(1), side, sides, z.literal('none')])
      .nullable()
      .optional()
      .describe("From the middle; up to 1: the share of the resized photo; null: the network's size"),
    pad_color: z
      .tuple([level, level, level])
      .readonly()
      .optional()
      .describe('Of the padding under fit letterbox'),
    resample: z
      .enum(['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos', 'cv-bilinear', 'cv-area'])
      .optional()
      .describe('As PIL does it, with antialiasing, or as OpenCV does'),
    scale: z
      .union([z.number().positive().max(most), z.enum(['x/255', 'x'])])
      .optional()
      .describe('What a pixel of 0 to 255 is multiplied by before mean and std'),
    mean: perChannel.optional().describe('One number for each channel, or one for all'),
    std: z.array(z.number().positive().max(most)).min(1).max(1000).readonly().optional(),
    resize_short_side: side.nullable().optional().describe('Older name of `resize`'),
    center_crop: side.nullable().optional().describe('Older name of `size`, where a square is cropped'),
  })
  .meta({ id: 'Preprocessing' });

const fixedInputsSchema = recordOf(
  z.string().min(1).max(500),
  z.union([
    z.number(),
    z.array(z.number()).max(10_000),
    z.strictObject({
      dtype: z.string().max(20),
      shape: z.array(z.int().min(0)).max(8),
      data: z.array(z.number()).max(10_000),
    }),
  ]),
);

const classNameSchema = z.union([
  z.string().min(1).max(200),
  z.strictObject({ en: z.string().min(1).max(200), zh: z.string().max(200).nullable().optional() }),
]);

export const modelRequestSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^(?!mdl_)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected letters, digits, dots, - and _')
      .describe('What explanations ask for; a name that has several models means the newest that is ready'),
    sha256: sha256.describe('Of the ONNX file'),
    content_length: z.int().min(1).describe('Bytes of the ONNX file'),
    labels: z.array(classNameSchema).min(1).max(100_000).optional().describe('Class names, by index'),
    preprocessing: z
      .union([z.enum(presetNames), preprocessingSchema])
      .optional()
      .describe(
        'What is omitted is found in the file, or else as for ImageNet, at the size that the network takes',
      ),
    fixed_inputs: fixedInputsSchema
      .optional()
      .describe(
        'What inputs beside the image are fixed to: a number for all of one, its elements, or a tensor',
      ),
    scores: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe('The output with the scores of classes; omitted: the likeliest one'),
    cam_tensor: z.string().min(1).max(500).optional().describe('The layer to look at when none is asked for'),
    task: z.enum(tasks).optional().describe('What the network decides, where its end does not tell'),
  })
  .meta({ id: 'ModelRequest' });
/** As a client writes it. */
export type ModelRequest = z.infer<typeof modelRequestSchema>;

export const modelCompletionSchema = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          part_number: z.int().min(1).max(10_000),
          etag: z
            .string()
            .regex(/^"?[^"<>&\s]{1,1024}"?$/, 'expected an ETag')
            .describe('As the object store answered the part'),
        }),
      )
      .min(1)
      .max(1000),
  })
  .meta({ id: 'ModelCompletion' });
export type ModelCompletion = z.infer<typeof modelCompletionSchema>;

/** What stands beside a model and says how to use it; the worker fills in what is left out. */
export const modelManifestSchema = z.strictObject({
  labels: z.array(z.strictObject({ en: z.string(), zh: z.string().nullable() })).nullable(),
  preprocessing: z.union([z.enum(presetNames), preprocessingSchema]).nullable(),
  cam_tensor: z.string().nullable(),
  /** Absent where it is not said: manifests of earlier releases have no such member, and keep their digest. */
  task: z.enum(tasks).optional(),
  fixed_inputs: fixedInputsSchema.nullable(),
  scores: z.string().nullable(),
});
export type ModelManifest = z.infer<typeof modelManifestSchema>;

/** Where a tenant's model is, and what it must be when it is read. */
export const modelSourceSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  object: z.string(),
  bytes: z.int().min(1),
  sha256,
  manifest: modelManifestSchema,
});
export type ModelSource = z.infer<typeof modelSourceSchema>;

/** What `whylight check` tells of a model. */
export const modelReportSchema = z
  .object({
    opset: z.int(),
    producer: z.string(),
    nodes: z.int(),
    inputs: z.array(
      z.object({
        name: z.string(),
        dtype: z.string(),
        shape: z.array(z.union([z.number(), z.string()])),
      }),
    ),
    outputs: z.array(z.string()),
    input_shape: z.array(z.int()),
    layout: z.enum(['NCHW', 'NHWC']),
    classes: z.int(),
    layers: z
      .array(z.object({ name: z.string(), shape: z.array(z.int()) }))
      .describe('Feature maps that a CAM can look at, last first'),
    unsupported: z
      .array(z.object({ op: z.string(), nodes: z.array(z.string()) }))
      .describe('Operators without a derivative rule, and the nodes that use them'),
    methods: z
      .array(z.object({ id: z.string(), works: z.boolean().nullable(), reason: z.string().nullable() }))
      .describe('`works`: true, it ran; false, it does not; null, it was not run. `reason` says why'),
    recommended: z
      .array(z.string())
      .optional()
      .describe('Methods that suit the architecture, the best first'),
    photos: z
      .union([z.literal(true), z.string()])
      .optional()
      .describe('Whether photos can become the input of the network; or why not'),
    task: z.enum(tasks).optional().describe('What the network decides'),
    budget: z.number().optional().describe('Seconds that reading the model and running it were given'),
    notes: z.array(z.string()),
  })
  .meta({ id: 'ModelReport' });
export type ModelReport = z.infer<typeof modelReportSchema>;

/** Why a model cannot be explained at all. */
export const modelErrorCodes = [
  'invalid_model',
  'model_external_data_forbidden',
  'model_unsupported_op',
  'model_too_large',
  'model_validation_timeout',
  'model_validation_failed',
  'upload_mismatch',
  'worker_unreachable',
] as const;
export type ModelErrorCode = (typeof modelErrorCodes)[number];
export const modelErrorSchema = z.object({ code: z.enum(modelErrorCodes), message: z.string() });
export type ModelError = z.infer<typeof modelErrorSchema>;

/** Methods that nothing speaks against, and that were not run on a model: id to the reason. They can be asked for. */
export const notRunSchema = recordOf(z.string(), z.string()).optional();

/** Of each layer, last first, the names by which it can be asked for; absent where that is not known beforehand. */
export const layerNamesSchema = z.array(z.array(z.string())).optional();

/** What a model's validation finds that explaining needs to know. */
export const modelFactsSchema = z.object({
  /** Digest of the preprocessing, defaults filled in: `sha256:<hex>`. */
  preprocessing: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  classes: z.int(),
  input_shape: z.array(z.int()),
  /** Method id to the reason why it does not work; to null where it can be asked for. */
  methods: recordOf(z.string(), z.string().nullable()),
  not_run: notRunSchema,
  /** By which numerics the methods were run; absent where an earlier release has looked at the file only. */
  numerics_version: z.string().optional(),
  /** Whether the network gives the same scores each time. */
  deterministic: z.boolean(),
  layers: layerNamesSchema,
  /** Absent from what earlier releases have found. */
  task: z.enum(tasks).optional(),
});
export type ModelFacts = z.infer<typeof modelFactsSchema>;

/** A call about one of a tenant's models: examine it, or get it ready. */
export const modelCallSchema = z.strictObject({ model: modelSourceSchema, request_id: z.string() });
export const validationSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('ready'), facts: modelFactsSchema, report: modelReportSchema }),
  z.object({ outcome: z.literal('rejected'), error: modelErrorSchema }),
]);
export type Validation = z.infer<typeof validationSchema>;

export const modelStatuses = ['pending', 'validating', 'ready', 'rejected'] as const;

export const modelSchema = z
  .object({
    id: z.string().describe('Of a model that comes with the service: its name'),
    object: z.literal('model'),
    name: z.string(),
    digest: z.string(),
    own: z.boolean().describe('Whether the tenant has brought it'),
    status: z.enum(modelStatuses),
    created_at: time.nullable(),
    content_length: z.int().nullable(),
    classes: z.int().nullable(),
    input_shape: z.array(z.int()).nullable(),
    task: z.enum(tasks).optional().describe('What the network decides, where that is known'),
    default: z.boolean(),
    deterministic: z
      .boolean()
      .nullable()
      .describe('Of a network that is not, nothing is answered from the cache'),
    methods: z.array(z.string()).describe('Ids of the methods that can be asked for on it'),
    not_run: z
      .array(z.string())
      .optional()
      .describe('Of these, those that have not been run on it: GET /v1/methods?model= says why'),
    report: modelReportSchema
      .nullable()
      .describe('What `whylight check` says of it; in lists null, ask for the one'),
    error: modelErrorSchema.nullable().describe('Why it was rejected'),
    upload: z
      .object({
        method: z.literal('PUT'),
        parts: z.array(
          z.object({
            part_number: z.int(),
            url: z.string(),
            headers: recordOf(z.string(), z.string()),
            offset: z.int().describe('Where in the file the part begins'),
          }),
        ),
        expires_at: time,
      })
      .nullable()
      .describe(
        'Where to PUT the file, in parts; then POST their ETags to `complete`. Announce the model again for new URLs',
      ),
    urls: z
      .object({ self: z.string(), complete: z.string().nullable(), warm: z.string().nullable() })
      .describe('`complete` and `warm` exist for the tenant’s own models'),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof modelSchema>;
