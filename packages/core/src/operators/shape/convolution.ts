import { type Fact, ShapeError } from '../../onnx/fact.ts';
import { int, ints } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { slidingSizes, transposedWindow, windowOf } from '../window.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

export function poolShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const spatial = shape.slice(2);
  const kernel = ints(c.node, 'kernel_shape')!;
  const sizes = slidingSizes(windowOf(c.node, kernel, spatial), spatial, int(c.node, 'ceil_mode', 0) === 1);
  const out = [shape[0]!, shape[1]!, ...sizes];
  return [{ dtype, shape: out }];
}

export const globalPoolShape: ShapeRule = (c) => {
  const { dtype, shape } = c.x(0);
  return [{ dtype, shape: [...shape.slice(0, 2), ...shape.slice(2).map(() => 1)] }];
};

export function checkPerChannel(c: ShapeContext, i: number, channels: number): void {
  const { shape } = c.x(i);
  if (shape.length !== 1 || shape[0] !== channels)
    throw new ShapeError(`input ${i} is [${shape}], expected [${channels}]`);
}

export function convShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const weight = c.x(1).shape;
  const group = int(c.node, 'group', 1);
  if (shape.length !== weight.length || shape[1] !== weight[1]! * group)
    throw new ShapeError(`Conv of [${shape}] with weights [${weight}], group ${group}`);
  if (c.has(2)) checkPerChannel(c, 2, weight[0]!);
  const spatial = shape.slice(2);
  return [
    {
      dtype,
      shape: [
        shape[0]!,
        weight[0]!,
        ...slidingSizes(windowOf(c.node, weight.slice(2), spatial), spatial, false),
      ],
    },
  ];
}

export function col2ImShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const [size, block] = [c.value(1), c.value(2)];
  const sizes = slidingSizes(windowOf(c.node, block, size), size, false);
  const channels = shape[1]! / sizeOf(block);
  if (shape.length !== 3 || shape[2] !== sizeOf(sizes) || !Number.isInteger(channels))
    throw new ShapeError(`[${shape}] as ${sizeOf(sizes)} blocks of [${block}]`);
  return [{ dtype, shape: [shape[0]!, channels, ...size] }];
}

export function convTransposeShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const weight = c.x(1).shape;
  const w = transposedWindow(c.node, weight.slice(2), shape.slice(2));
  const extra = ints(c.node, 'output_padding') ?? [];
  const sizes = w.kernel.map(
    (k, i) =>
      w.strides[i]! * (shape[i + 2]! - 1) +
      (extra[i] ?? 0) +
      (k - 1) * w.dilations[i]! +
      1 -
      w.before[i]! -
      w.after[i]!,
  );
  return [{ dtype, shape: [shape[0]!, weight[1]! * int(c.node, 'group', 1), ...sizes] }];
}

/** Infers the maxima and their indices. */
export const maxPoolShape: ShapeRule = (c) => {
  const [{ dtype, shape }] = poolShape(c) as [Fact];
  return [
    { dtype, shape },
    { dtype: 'int64', shape },
  ];
};
