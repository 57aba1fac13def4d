import * as ort from 'onnxruntime-node';
import { float32, sizeOf, type Tensor } from '../tensor.ts';
import { type Attributes, attributesOf, canonical } from './canonical.ts';
import { type NodeInit, onnxFile, type TensorInit, value } from './onnx-file.ts';

// Compares one of ONNX Runtime's own operators as its kernel computes it and as the engine reads it.

/** The parts of an operand of the node: inputs and weights in the file, and the nodes that make the operand. */
export interface Operand {
  readonly inputs: readonly { readonly shape: readonly number[] }[];
  readonly weights: readonly Omit<TensorInit, 'name'>[];
  /** Nodes between the inputs and weights, in order, and the operands; the names are made by `prefix`. */
  readonly nodes: (prefix: string) => {
    readonly nodes: readonly NodeInit[];
    readonly operands: readonly string[];
  };
}

/** Makes numbers about as large as activations, all different. */
const wave = (i: number) => 1.3 * Math.sin(1.7 * i + 0.3) + 0.4 * Math.cos(0.31 * i * i);

const floats = (shape: readonly number[], of: (i: number) => number): Omit<TensorInit, 'name'> => ({
  dims: shape.map(BigInt),
  dataType: 1,
  floatData: Array.from({ length: sizeOf(shape) }, (_, i) => of(i)),
});

const types = { uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6 } as const;
type Whole = keyof typeof types;

const whole = (
  type: Whole,
  shape: readonly number[],
  of: (i: number) => number,
): Omit<TensorInit, 'name'> => ({
  dims: shape.map(BigInt),
  dataType: types[type],
  int32Data: Array.from({ length: sizeOf(shape) }, (_, i) => of(i)),
});

const weightOf = (weight: Omit<TensorInit, 'name'>): Operand => ({
  inputs: [],
  weights: [weight],
  nodes: (prefix) => ({ nodes: [], operands: [`${prefix}w0`] }),
});

const node = (opType: string, input: string[], output: string, attributes: Attributes = {}): NodeInit => ({
  opType,
  name: output,
  input,
  output: [output],
  attribute: attributesOf(attributes),
});

/** An operand that is left out. */
export const absent: Operand = { inputs: [], weights: [], nodes: () => ({ nodes: [], operands: [''] }) };
/** An input with a row for each image. */
export const given = (...shape: number[]): Operand => ({
  inputs: [{ shape }],
  weights: [],
  nodes: (prefix) => ({ nodes: [], operands: [`${prefix}x0`] }),
});
export const weight = (
  shape: readonly number[],
  of = (i: number) => 0.7 * Math.sin(2.3 * i + shape.length),
): Operand => weightOf(floats(shape, of));
export const scalar = (number: number): Operand => weightOf(floats([], () => number));
/** Whole numbers over the whole range of their type, or of ±`most`. */
export const levels = (type: Whole, shape: readonly number[], most = 127): Operand =>
  weightOf(whole(type, shape, (i) => ((i * 37 + 11) % (2 * most)) - (type === 'uint8' ? 0 : most)));
export const level = (type: Whole, number: number): Operand => weightOf(whole(type, [], () => number));
/** A mask of 0 and 1, int32, a row for each image. */
export const mask = (...shape: number[]): Operand => ({
  inputs: [{ shape }],
  weights: [floats([], () => -0.5)],
  nodes: (prefix) => ({
    nodes: [
      node('GreaterOrEqual', [`${prefix}x0`, `${prefix}w0`], `${prefix}shown`),
      node('Cast', [`${prefix}shown`], `${prefix}mask`, { to: 6 }),
    ],
    operands: [`${prefix}mask`],
  }),
});
/** An input as 8-bit numbers, with its scale and its zero point as the next operands; `null` for no zero point. */
export const quantized = (
  shape: readonly number[],
  scale: number,
  zero: number | null,
  type: 'uint8' | 'int8' = 'uint8',
): Operand => ({
  inputs: [{ shape }],
  weights: [floats([], () => scale), whole(type, [], () => zero ?? 0)],
  nodes: (prefix) => ({
    nodes: [node('QuantizeLinear', [`${prefix}x0`, `${prefix}w0`, `${prefix}w1`], `${prefix}q`)],
    operands: [`${prefix}q`, `${prefix}w0`, zero === null ? '' : `${prefix}w1`],
  }),
});

export interface Case {
  readonly op: string;
  readonly operands: readonly Operand[];
  readonly attributes?: Attributes;
  /** Outputs of the node, with '' for outputs that are not requested; whether they are whole numbers. */
  readonly outputs?: readonly string[];
  readonly wholeOutput?: boolean;
  readonly domain?: string;
  readonly opset?: number;
}

/** Writes the file of the case. Casts whole outputs to floats, so that nothing is fused into the node of the case. */
export function fileOf({
  op,
  operands,
  attributes = {},
  outputs = ['y'],
  wholeOutput = false,
  domain = 'com.microsoft',
  opset = 17,
}: Case) {
  const before: NodeInit[] = [];
  const names: string[] = [];
  const inputs: { name: string; shape: readonly number[] }[] = [];
  const weights: TensorInit[] = [];
  operands.forEach((operand, k) => {
    const prefix = `o${k}_`;
    inputs.push(...operand.inputs.map(({ shape }, i) => ({ name: `${prefix}x${i}`, shape })));
    weights.push(...operand.weights.map((w, i) => ({ ...w, name: `${prefix}w${i}` }) as TensorInit));
    const made = operand.nodes(prefix);
    before.push(...made.nodes);
    names.push(...made.operands);
  });
  const main: NodeInit = {
    opType: op,
    domain,
    name: 'node',
    input: names,
    output: [...outputs],
    attribute: attributesOf(attributes),
  };
  const asked = outputs.filter((name) => name !== '');
  const ends = wholeOutput ? asked.map((name) => node('Cast', [name], `${name}_float`, { to: 1 })) : [];
  const bytes = onnxFile(
    {
      node: [...before, main, ...ends],
      initializer: weights,
      input: inputs.map(({ name, shape }) => value(name, 'batch', ...shape)),
      output: asked.map((name) => ({
        name: wholeOutput ? `${name}_float` : name,
        type: { tensorType: { elemType: 1 } },
      })),
    },
    {
      opsetImport: [
        { domain: '', version: BigInt(opset) },
        { domain: 'com.microsoft', version: 1n },
      ],
    },
  );
  const feeds = Object.fromEntries(
    inputs.map(({ name, shape }, k) => {
      const size = [2, ...shape];
      return [
        name,
        float32(
          size,
          Array.from({ length: sizeOf(size) }, (_, i) => wave(i + 100 * k)),
        ),
      ];
    }),
  );
  return { bytes, feeds };
}

/** Runs a file without optimisation: ONNX Runtime would fuse again the nodes into which the engine split operators. */
export async function run(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>) {
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  });
  const results = await session.run(
    Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => [
        name,
        new ort.Tensor('float32', t.data as Float32Array, t.shape),
      ]),
    ),
  );
  await session.release();
  return Object.values(results).map(({ dims, data }) => ({
    shape: [...dims],
    data: [...(data as Float32Array)],
  }));
}

/** Computes the results of ONNX Runtime's kernel, and of the nodes that the engine reads in its place. */
export async function bothWays(one: Case) {
  const { bytes, feeds } = fileOf(one);
  const read = canonical(bytes);
  return { kernel: await run(bytes, feeds), read: await run(read.bytes, feeds), graph: read.graph };
}
