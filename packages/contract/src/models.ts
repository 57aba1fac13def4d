import { z } from 'zod';
import { plainText } from './plain-text.ts';
import { recordOf } from './record.ts';
import { tasks } from './task.ts';
import { growing, lengthOf, sha256, time } from './wire.ts';

/** Models of tenants: in the public API, and in the messages between gateway and worker. */

/** Names that `preprocessing` may be instead of its parts. */
export const presetNames = ['imagenet', 'imagenet-half', 'imagenet-caffe'] as const;

const most = 100_000;
const perChannel = z.array(z.number().min(-most).max(most)).min(1).max(1000).readonly();
const channelOrders = ['rgb', 'bgr', 'gray', 'rgba'] as const;
const side = z.int().min(1).max(4096);
const sides = z.tuple([side, side]).readonly().meta(lengthOf(2, side)).describe('Height and width');
const level = z.int().min(0).max(255);

/** The preprocessing of a photo for the network. Omitted parts are as for the classifiers of ImageNet. */
export const preprocessingSchema = z
  .strictObject({
    layout: z.enum(['NCHW', 'NHWC']).optional(),
    channels: z
      .union([
        // The document leaves out the older capitals: to a generator of clients `rgb` and `RGB` are one name.
        z.enum([...channelOrders, 'RGB', 'BGR']).meta({ enum: [...channelOrders] }),
        z.int().min(1).max(1000),
      ])
      .optional()
      .describe('The channels of the network, in their order. A number says how many bands the files have'),
    size: z
      .union([side, sides])
      .nullable()
      .optional()
      .describe('The size that the network takes; null: the size that resizing and cropping leave'),
    fit: z
      .enum(['crop', 'stretch', 'letterbox'])
      .optional()
      .describe(
        '`crop` keeps the proportions and cuts off what is too much; `stretch` changes the proportions; `letterbox` keeps them and fills the rest with `pad_color`',
      ),
    resize: z
      .union([side, sides, z.literal('none')])
      .nullable()
      .optional()
      .describe(
        'A number is the length of the short side, two numbers are the exact size. Null resizes to the size that the network takes',
      ),
    crop: z
      .union([z.number().positive().max(1), side, sides, z.literal('none')])
      .nullable()
      .optional()
      .describe(
        'The size that is cut from the middle. A number up to 1 is a share of the resized photo. Null cuts the size that the network takes',
      ),
    pad_color: z
      .tuple([level, level, level])
      .readonly()
      .meta(lengthOf(3, level))
      .optional()
      .describe('The colour that fills the rest under `fit: letterbox`, as red, green and blue'),
    resample: z
      .enum(['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos', 'cv-bilinear', 'cv-area'])
      .optional()
      .describe(
        'The filter that resizes the photo. The names without `cv-` are the filters of PIL, with antialiasing; those with `cv-` are the filters of OpenCV',
      ),
    scale: z
      .union([z.number().positive().max(most), z.enum(['x/255', 'x'])])
      .optional()
      .describe('The factor for each pixel (0 to 255), before `mean` is subtracted and `std` divides'),
    mean: perChannel.optional().describe('One number for each channel, or one for all'),
    std: z.array(z.number().positive().max(most)).min(1).max(1000).readonly().optional(),
    resize_short_side: side.nullable().optional().describe('Older name of `resize`'),
    center_crop: side.nullable().optional().describe('Older name of `size`, where a square is cropped'),
  })
  .meta({ id: 'Preprocessing' });

const fixedInputsSchema = recordOf(
  plainText(500),
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
  plainText(200),
  z.strictObject({ en: plainText(200), zh: plainText(200, 0).nullable().optional() }),
]);

export const modelRequestSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^(?!mdl_)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected letters, digits, dots, - and _')
      .describe(
        'The name by which explanations ask for the model. If several models have the name, the newest one that is ready answers',
      ),
    sha256: sha256.describe('SHA-256 of the ONNX file'),
    content_length: z.int().min(1).describe('Length of the ONNX file, in bytes'),
    labels: z
      .array(classNameSchema)
      .min(1)
      .max(100_000)
      .optional()
      .describe('The name of each class, in the order of the class indices'),
    preprocessing: z
      .union([z.enum(presetNames), preprocessingSchema])
      .optional()
      .describe(
        'A preset, or the parts one by one. Omitted parts are read from the file; parts that the file does not state are as for ImageNet, at the size that the network takes',
      ),
    fixed_inputs: fixedInputsSchema
      .optional()
      .describe(
        'Values for the inputs other than the image: one number for all elements, the list of elements, or a tensor',
      ),
    scores: plainText(500)
      .optional()
      .describe(
        'The output that holds the scores of the classes. Omitted: the service chooses the most likely output',
      ),
    cam_tensor: plainText(500)
      .optional()
      .describe('The layer that methods use if the request names no layer'),
    task: z
      .enum(tasks)
      .optional()
      .describe('What the network decides. Needed only if the last operators of the network do not show it'),
  })
  .meta({ id: 'ModelRequest' });
/** The request as a client writes it. */
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
            .describe('The ETag that the object store returned for this part'),
        }),
      )
      .min(1)
      .max(1000),
  })
  .meta({ id: 'ModelCompletion' });
export type ModelCompletion = z.infer<typeof modelCompletionSchema>;

/** Says how to use a model. The worker fills in what is null. */
export const modelManifestSchema = z.strictObject({
  labels: z.array(z.strictObject({ en: z.string(), zh: z.string().nullable() })).nullable(),
  preprocessing: z.union([z.enum(presetNames), preprocessingSchema]).nullable(),
  cam_tensor: z.string().nullable(),
  /** Absent if nobody states it. Manifests of earlier releases lack this member, and must keep their digest. */
  task: z.enum(tasks).optional(),
  fixed_inputs: fixedInputsSchema.nullable(),
  scores: z.string().nullable(),
});
export type ModelManifest = z.infer<typeof modelManifestSchema>;

/** The place of a tenant's model in the store, with the length and the digest that the worker checks. */
export const modelSourceSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  object: z.string(),
  bytes: z.int().min(1),
  sha256,
  manifest: modelManifestSchema,
});
export type ModelSource = z.infer<typeof modelSourceSchema>;

/** The report of `whylight check` on a model. */
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
    layout: growing(['NCHW', 'NHWC']),
    classes: z.int(),
    layers: z
      .array(z.object({ name: z.string(), shape: z.array(z.int()) }))
      .describe('Feature maps that CAM methods can use. The last layer of the network comes first'),
    unsupported: z
      .array(z.object({ op: z.string(), nodes: z.array(z.string()) }))
      .describe('Operators for which Whylight has no derivative, with the nodes that use them'),
    methods: z
      .array(z.object({ id: z.string(), works: z.boolean().nullable(), reason: z.string().nullable() }))
      .describe(
        '`works` is true if the method ran on the model, false if it failed, null if the service did not run it. `reason` says why it is not true',
      ),
    recommended: z
      .array(z.string())
      .optional()
      .describe('Methods that suit this architecture. The best one comes first'),
    photos: z
      .union([z.literal(true), z.string()])
      .optional()
      .describe(
        'True if the service can turn a photo into the input of the network; otherwise the reason why it cannot',
      ),
    task: growing(tasks).optional().describe('What the network decides'),
    budget: z.number().optional().describe('Seconds that the service had to read and run the model'),
    notes: z.array(z.string()),
  })
  .meta({ id: 'ModelReport' });
export type ModelReport = z.infer<typeof modelReportSchema>;

/** Reasons why no method can explain a model. */
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

/** Methods that can be requested although nobody has run them on the model: id to the reason why not. */
export const notRunSchema = recordOf(z.string(), z.string()).optional();

/** The names of each layer that a request may use, the last layer first. Absent if they are not known before a run. */
export const layerNamesSchema = z.array(z.array(z.string())).optional();

/** The facts that a validation finds and that explanations need. */
export const modelFactsSchema = z.object({
  /** Digest of the preprocessing, including defaults: `sha256:<hex>`. */
  preprocessing: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  classes: z.int(),
  input_shape: z.array(z.int()),
  /** Method id to the reason why it does not work; to null if it can be requested. */
  methods: recordOf(z.string(), z.string().nullable()),
  not_run: notRunSchema,
  /** The numerics version that ran the methods. Absent if an earlier release read the file and ran nothing. */
  numerics_version: z.string().optional(),
  /** Whether the network gives the same scores each time. */
  deterministic: z.boolean(),
  layers: layerNamesSchema,
  /** Validations of earlier releases lack it. */
  task: z.enum(tasks).optional(),
});
export type ModelFacts = z.infer<typeof modelFactsSchema>;

/** Milliseconds for which the gateway waits until a worker has examined a model, the time in the worker's queue included. */
export const validationPatience = 95_000;

/** A call about one model of a tenant: validate it, or load it. */
export const modelCallSchema = z.strictObject({ model: modelSourceSchema, request_id: z.string() });
export const validationSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('ready'), facts: modelFactsSchema, report: modelReportSchema }),
  z.object({ outcome: z.literal('rejected'), error: modelErrorSchema }),
]);
export type Validation = z.infer<typeof validationSchema>;

/** The statuses of a tenant's model. */
export const ownModelStatuses = ['pending', 'validating', 'ready', 'rejected'] as const;
/** `updating`: a model of the service that some workers have and others do not, while a new release is rolled out. */
export const modelStatuses = [...ownModelStatuses, 'updating'] as const;

export const modelSchema = z
  .object({
    id: z.string().describe('The id of the model. A model that comes with the service has its name as id'),
    object: z.literal('model'),
    name: z.string(),
    digest: z.string(),
    own: z.boolean().describe('True if the tenant has uploaded the model'),
    status: z
      .enum(modelStatuses)
      .describe(
        '`ready`: you can request explanations. `updating`: the service is changing this model of its own; you can request explanations, which may wait longer',
      ),
    created_at: time.nullable(),
    content_length: z.int().nullable(),
    classes: z.int().nullable(),
    input_shape: z.array(z.int()).nullable(),
    task: growing(tasks)
      .optional()
      .describe('What the network decides. Absent if the service does not know it'),
    default: z.boolean(),
    deterministic: z
      .boolean()
      .nullable()
      .describe(
        'True if the network gives the same scores each time. If it does not, the service answers nothing from the cache',
      ),
    methods: z.array(z.string()).describe('Ids of the methods that you can request for this model'),
    not_run: z
      .array(z.string())
      .optional()
      .describe(
        'Ids from `methods` that the service has not run on the model. GET /v1/methods?model= says why',
      ),
    report: modelReportSchema
      .nullable()
      .describe(
        'The report that `whylight check` prints. Lists have null here: get the single model to read it',
      ),
    error: modelErrorSchema
      .extend({ code: growing(modelErrorCodes) })
      .nullable()
      .describe('Why the service rejected the model; null if it did not'),
    upload: z
      .object({
        method: z.literal('PUT'),
        parts: z.array(
          z.object({
            part_number: z.int(),
            url: z.string(),
            headers: recordOf(z.string(), z.string()),
            offset: z.int().describe('Position in the file at which the part begins, in bytes'),
            bytes: z
              .int()
              .optional()
              .describe('Length of the part. Absent in the answers of earlier releases'),
          }),
        ),
        expires_at: time,
      })
      .nullable()
      .describe(
        'Signed URLs for the parts of the file. PUT each part, then POST their ETags to `complete`. To get new URLs, announce the model again',
      ),
    urls: z
      .object({ self: z.string(), complete: z.string().nullable(), warm: z.string().nullable() })
      .describe('`complete` and `warm` are null for models that come with the service'),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof modelSchema>;
