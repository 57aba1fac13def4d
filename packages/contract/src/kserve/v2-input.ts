import { z } from 'zod';
import { KServeFault } from './fault.ts';
import { floatsOf, floatsOfFlat, sizeOf } from './floats.ts';
import { checkMembers, described, type Members, objectOf, parsed } from './members.ts';
import type { V2Body } from './v2-body.ts';
import { bytesElements, floatElements } from './v2-tensor.ts';

/** Name of the tensor of image files; a tensor of numbers has the name of the model's own input. */
export const bytesInput = 'image_bytes';

/** Which tensors a model takes. */
export interface V2Takes {
  /** Images in one request. */
  readonly most: number;
  /** The tensor of numbers, without the axis of the batch; undefined: image files only. */
  readonly floats?: { readonly name: string; readonly shape: readonly number[] };
}

/** The images of a request: files, as bytes or in base 64, or a batch as the network takes it. */
export type V2Input =
  | { readonly files: readonly (Uint8Array | string)[]; readonly batch?: never }
  | {
      readonly batch: { readonly shape: readonly number[]; readonly data: Float32Array };
      readonly files?: never;
    };

/** Where in a request file `n` stands. */
export const placeOfFile = (n: number): string => `inputs[0].data[${n}]`;

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

/** The images of a request in V2's form. @throws KServeFault */
export function readV2Input({ json, binary }: V2Body, takes: V2Takes): V2Input {
  const { inputs } = json;
  if (!Array.isArray(inputs) || inputs.length !== 1)
    throw new KServeFault(400, `inputs: expected one tensor, ${tensorsOf(takes)}; got ${described(inputs)}`);
  const given = objectOf(inputs[0], 'inputs[0]');
  checkMembers(given, Object.keys(inputSchema.shape), 'inputs[0]');
  const input = parsed(inputSchema, given, 'inputs[0]');
  const { name, datatype, shape } = input;
  const expected = datatype === 'BYTES' ? bytesInput : takes.floats?.name;
  if ((datatype !== 'BYTES' && datatype !== 'FP32') || name !== expected)
    throw new KServeFault(
      400,
      `inputs[0]: expected ${tensorsOf(takes)}; got ${JSON.stringify(name.slice(0, 80))}, ${datatype} [${shape.join(', ')}]`,
    );
  const [count = 0] = shape;
  if (count < 1 || count > takes.most)
    throw new KServeFault(400, `inputs[0].shape: expected 1 to ${takes.most} images; got ${count}`);
  const tail = tailOf(input, given, binary);
  return datatype === 'BYTES'
    ? { files: filesOf(input, tail) }
    : { batch: batchOf(input, tail, takes.floats!.shape) };
}

/** Which tensors the model takes, in words. */
const tensorsOf = ({ floats }: V2Takes): string =>
  `"${bytesInput}", BYTES [N]${floats ? `, or "${floats.name}", FP32 [N, ${floats.shape.join(', ')}]` : ''}`;

/** The tensor's bytes behind the JSON; undefined if its data is in the JSON. @throws KServeFault */
function tailOf({ parameters }: Input, given: Members, binary: Uint8Array): Uint8Array | undefined {
  const { binary_data_size: size } = parameters;
  const hasData = given.data !== undefined;
  if (hasData === (size !== undefined))
    throw new KServeFault(
      400,
      'inputs[0]: expected either data, or parameters.binary_data_size and the bytes behind the JSON',
    );
  if (binary.length !== (size ?? 0))
    throw new KServeFault(
      400,
      `the body: expected ${size ?? 0} bytes behind the JSON, as inputs[0].parameters.binary_data_size says; got ${binary.length}`,
    );
  return size === undefined ? undefined : binary;
}

/** @throws KServeFault */
function filesOf({ shape, data, parameters }: Input, tail: Uint8Array | undefined): (Uint8Array | string)[] {
  const elements: unknown = tail ? bytesElements(tail, 'inputs[0]') : data;
  const count = sizeOf(shape);
  const got = Array.isArray(elements) ? elements.flat() : elements;
  if (count !== shape[0] || !Array.isArray(got) || got.length !== count)
    throw new KServeFault(
      400,
      `inputs[0]: expected shape [N] or [N, 1] and N images; got [${shape.join(', ')}] and ${described(got)}`,
    );
  return got.map((one: unknown, n) => {
    // The bytes themselves follow the JSON, unless their sender says that they are text.
    if (one instanceof Uint8Array)
      return parameters.content_type === 'base64' ? new TextDecoder().decode(one) : one;
    if (typeof one === 'string') return one;
    throw new KServeFault(400, `${placeOfFile(n)}: expected an image file in base 64; got ${described(one)}`);
  });
}

/** @throws KServeFault */
function batchOf(
  { shape, data }: Input,
  tail: Uint8Array | undefined,
  expected: readonly number[],
): { shape: readonly number[]; data: Float32Array } {
  if (shape.slice(1).join() !== expected.join())
    throw new KServeFault(
      400,
      `inputs[0].shape: expected [N, ${expected.join(', ')}]; got [${shape.join(', ')}]`,
    );
  return {
    shape,
    data: tail ? floatElements(tail, sizeOf(shape), 'inputs[0]') : fromJson(data, shape),
  };
}

/** Reads a flat list in the order of rows, or nested lists. */
const fromJson = (data: unknown, shape: readonly number[]): Float32Array =>
  Array.isArray(data) && !Array.isArray(data[0])
    ? floatsOfFlat(data, shape, 'inputs[0].data')
    : floatsOf(data, shape, 'inputs[0].data');
