import { type Classifier, row, sizeOf, type Tensor } from '@whylight/core';
import { z } from 'zod';
import { described, type Instance, photoFrom, photoOf, tensorOf, tensorOfFlat } from './instance.ts';
import { mostInstances } from './limits.ts';
import { checkMembers, type Members, objectOf, parsed } from './members.ts';
import { Refusal } from './refusal.ts';
import type { V2Body } from './v2-body.ts';
import { bytesElements, floatElements } from './v2-tensor.ts';

/** Name of the tensor of image files; a tensor of numbers has the name of the model's own input. */
export const bytesInput = 'image_bytes';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const inputSchema = z.object({
  name: z.string().max(500),
  shape: z.array(z.int().min(0)).min(1).max(8),
  datatype: z.string().max(20),
  parameters: z
    .object({ binary_data_size: z.int().min(0).optional(), content_type: scalar.optional() })
    .default({}),
  data: z.unknown().optional(),
});
type Input = z.output<typeof inputSchema>;

/** The images of a request in V2's form. @throws Refusal */
export function instancesOf({ json, binary }: V2Body, classifier: Classifier): Instance[] {
  const { inputs } = json;
  if (!Array.isArray(inputs) || inputs.length !== 1)
    throw new Refusal(400, `inputs: expected one tensor, ${tensorsOf(classifier)}; got ${described(inputs)}`);
  const given = objectOf(inputs[0], 'inputs[0]');
  checkMembers(given, Object.keys(inputSchema.shape), 'inputs[0]');
  const input = parsed(inputSchema, given, 'inputs[0]');
  const { name, datatype, shape } = input;
  const expected = datatype === 'BYTES' ? bytesInput : classifier.input.name;
  if ((datatype !== 'BYTES' && datatype !== 'FP32') || name !== expected)
    throw new Refusal(
      400,
      `inputs[0]: expected ${tensorsOf(classifier)}; got ${JSON.stringify(name.slice(0, 80))}, ${datatype} [${shape.join(', ')}]`,
    );
  const [count = 0] = shape;
  if (count < 1 || count > mostInstances)
    throw new Refusal(400, `inputs[0].shape: expected 1 to ${mostInstances} images; got ${count}`);
  const tail = tailOf(input, given, binary);
  return datatype === 'BYTES' ? photosOf(input, tail) : tensorsIn(input, tail, classifier);
}

/** Which tensors the model takes, in words. */
const tensorsOf = ({ input, inputShape }: Pick<Classifier, 'input' | 'inputShape'>): string =>
  `"${bytesInput}", BYTES [N], or "${input.name}", FP32 [N, ${inputShape.join(', ')}]`;

/** The tensor's bytes behind the JSON; undefined if its data is in the JSON. @throws Refusal */
function tailOf({ parameters }: Input, given: Members, binary: Uint8Array): Uint8Array | undefined {
  const { binary_data_size: size } = parameters;
  const hasData = given.data !== undefined;
  if (hasData === (size !== undefined))
    throw new Refusal(
      400,
      'inputs[0]: expected either data, or parameters.binary_data_size and the bytes behind the JSON',
    );
  if (binary.length !== (size ?? 0))
    throw new Refusal(
      400,
      `the body: expected ${size ?? 0} bytes behind the JSON, as inputs[0].parameters.binary_data_size says; got ${binary.length}`,
    );
  return size === undefined ? undefined : binary;
}

/** @throws Refusal */
function photosOf({ shape, data, parameters }: Input, tail: Uint8Array | undefined): Instance[] {
  const elements: unknown = tail ? bytesElements(tail, 'inputs[0]') : data;
  const count = sizeOf(shape);
  const got = Array.isArray(elements) ? elements.flat() : elements;
  if (count !== shape[0] || !Array.isArray(got) || got.length !== count)
    throw new Refusal(
      400,
      `inputs[0]: expected shape [N] or [N, 1] and N images; got [${shape.join(', ')}] and ${described(got)}`,
    );
  return got.map((one: unknown, n) => {
    const where = `inputs[0].data[${n}]`;
    if (!(one instanceof Uint8Array)) return photoOf(one, where);
    // The bytes themselves follow the JSON, unless their sender says that they are text.
    return parameters.content_type === 'base64'
      ? photoOf(new TextDecoder().decode(one), where)
      : photoFrom(one, where);
  });
}

/** @throws Refusal */
function tensorsIn({ shape, data }: Input, tail: Uint8Array | undefined, classifier: Classifier): Instance[] {
  if (shape.slice(1).join() !== classifier.inputShape.join())
    throw new Refusal(
      400,
      `inputs[0].shape: expected [N, ${classifier.inputShape.join(', ')}]; got [${shape.join(', ')}]`,
    );
  const batch = tail
    ? ({
        dtype: 'float32',
        shape,
        data: floatElements(tail, sizeOf(shape), 'inputs[0]'),
      } as Tensor<'float32'>)
    : fromJson(data, shape);
  return Array.from({ length: shape[0]! }, (_, n) => ({ tensor: row(batch, n) }));
}

/** Reads a flat list in the order of rows, or nested lists. */
const fromJson = (data: unknown, shape: readonly number[]): Tensor<'float32'> =>
  Array.isArray(data) && !Array.isArray(data[0])
    ? tensorOfFlat(data, shape, 'inputs[0].data')
    : tensorOf(data, shape, 'inputs[0].data');
