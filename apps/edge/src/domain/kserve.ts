import { inlineLimits, kserveRequestSchema, predictionRequestSchema } from '@whylight/contract';
import {
  bytesInput,
  checkMembers,
  explanationDescriptions,
  likeliestDescriptions,
  type OutputDescription,
  parsed,
  placeOfFile,
  readV2Request,
  type V2Request,
} from '@whylight/contract/kserve';
import { z } from 'zod';
import type { SentPhoto } from './inline-photo.ts';
import type { Explainable } from './model.ts';
import { checkDepth } from './strict-json.ts';

/** Suffix under which the explainer is a model of its own: KServe's V2 has no verb to explain. */
export const explainerSuffix = '-explainer';

/** What V2's metadata says of a model. A photo is the only input: tensors would be as large as the gateway may hold. */
export function metadataOf(
  name: string,
  { input_shape }: Explainable,
  isExplainer: boolean,
): {
  name: string;
  platform: string;
  inputs: { name: string; datatype: string; shape: number[] }[];
  outputs: { name: string; datatype: string; shape: number[] }[];
} {
  const outputs = isExplainer
    ? explanationDescriptions([-1, ...input_shape], true)
    : likeliestDescriptions(true);
  return {
    name,
    platform: 'onnx_onnxv1',
    inputs: [{ name: bytesInput, datatype: 'BYTES', shape: [-1] }],
    outputs: outputs.map(({ shape, ...output }: OutputDescription) => ({ ...output, shape: [...shape] })),
  };
}

const predictSchema = z.strictObject({ top_k: predictionRequestSchema.shape.top_k });
const { method, parameters } = kserveRequestSchema.shape.parameters.unwrap().shape;
const explainSchema = z.strictObject({
  method: method.unwrap().default('integrated-gradients'),
  parameters: parameters.unwrap().default({}),
  overlay: z.boolean().default(false),
});

/** A request of V2, read whole. */
interface InferenceRequest extends Pick<V2Request, 'id' | 'choose' | 'isBinary'> {
  readonly photos: SentPhoto[];
  /** How many of the likeliest classes a prediction lists. */
  readonly count: number;
  readonly wish: { readonly method: string; readonly parameters: Readonly<Record<string, unknown>> };
  readonly wantsPictures: boolean;
}

/** @param known names of the outputs that the model has. @throws KServeFault, Refusal `invalid_json` */
export function readInferenceRequest(
  bytes: Uint8Array,
  jsonLength: string | undefined,
  known: readonly string[],
  isExplainer: boolean,
): InferenceRequest {
  const takes = { most: inlineLimits.max_instances };
  const request = readV2Request(bytes, jsonLength, { takes, known, check: checkDepth });
  const schema = isExplainer ? explainSchema : predictSchema;
  checkMembers(request.parameters, Object.keys(schema.shape), 'parameters');
  const { top_k: count } = parsed(predictSchema, isExplainer ? {} : request.parameters, 'parameters');
  const { overlay, ...wish } = parsed(explainSchema, isExplainer ? request.parameters : {}, 'parameters');
  const { id, choose, isBinary } = request;
  return {
    ...{ id, choose, isBinary, count, wish },
    wantsPictures: overlay || request.names('overlay'),
    photos: (request.input.files ?? []).map((file, n) => ({
      ...{ file, place: placeOfFile(n), pointer: `/inputs/0/data/${n}` },
    })),
  };
}

const value = { type: ['string', 'number', 'boolean'] };
const values = { type: 'object', additionalProperties: value };

/** JSON Schema of the JSON of such a request. */
export const inferenceRequestDocument = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The answer has the same' },
    model_name: { type: 'string', description: 'The service ignores this member; the path decides' },
    model_version: { type: 'string', description: 'The service ignores this member' },
    parameters: {
      ...values,
      description:
        '`binary_data_output`, `top_k`; of an explainer `method`, `overlay`, and `parameters` of the method as JSON in a text',
    },
    inputs: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: {
        type: 'object',
        properties: {
          name: { type: 'string', enum: [bytesInput] },
          datatype: { type: 'string', enum: ['BYTES'] },
          shape: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1, maxItems: 2 },
          parameters: values,
          data: {
            type: 'array',
            items: { type: 'string', contentEncoding: 'base64' },
            minItems: 1,
            maxItems: inlineLimits.max_instances,
            description: 'JPEG, PNG or WebP files in base 64. Omitted if their bytes follow the JSON',
          },
        },
        required: ['name', 'datatype', 'shape'],
        additionalProperties: false,
      },
    },
    outputs: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, parameters: values },
        required: ['name'],
      },
      description: 'The outputs that the answer has. Omitted: all',
    },
  },
  required: ['inputs'],
  additionalProperties: false,
} as const;
