import { directModel } from '../graphs/direct.ts';
import type { Request } from '../graphs/request.ts';
import type { Direct } from '../methods/method.ts';
import type { ValueInfo } from '../onnx/graph.ts';
import { getOwn } from '../own.ts';
import { Assembly } from './assembly.ts';
import type { Compiled } from './compiled.ts';

/** A direct method as one graph: image [N, C, H, W], class_index [N] → attribution, logits, target. */
export function compileDirect(request: Request<Direct<never>>): Compiled {
  const { graph, types } = directModel(request);
  const { batch } = request.classifier;
  return batch === undefined ? { graph, outputs: types } : grouped(request, batch);
}

/** For a model that takes batches of one size only: a loop over groups of so many images, the last filled with zeros. */
function grouped(request: Request<Direct<never>>, batch: number): Compiled {
  const { graph, types } = directModel(request);
  const assembly = new Assembly(['image', 'class_index', 'attribution', 'logits', 'target']);
  const count = assembly.emit('Shape', ['image'], { start: 0, end: 1 }, 'count');
  const missing = assembly.emit('Mod', [assembly.emit('Neg', [count]), assembly.ints(batch)], {}, 'missing');
  const group = ({ name, shape }: ValueInfo) => {
    const zeros = shape.map(() => 0);
    const pads = [
      assembly.ints(...zeros),
      missing,
      ...(shape.length > 1 ? [assembly.ints(...zeros.slice(1))] : []),
    ];
    const filled = assembly.emit('Pad', [name, assembly.emit('Concat', pads, { axis: 0 })]);
    return assembly.emit('Reshape', [filled, assembly.ints(-1, batch, ...(shape.slice(1) as number[]))]);
  };
  const done = assembly.scan({
    name: 'groups',
    over: graph.inputs.map((input) => ({ ...ofSize(batch, input), of: group(input) })),
    body(_, [image, class_index]) {
      const made = assembly.place(graph, 'explain', { image: image!, class_index: class_index! });
      return { outputs: types.map((type) => ({ ...type, name: getOwn(made, type.name)! })) };
    },
  });
  const outputs = types.map(({ name, shape }, i) => {
    const rows = assembly.emit('Reshape', [done[i]!, assembly.ints(-1, ...(shape.slice(1) as number[]))]);
    return [name, assembly.emit('Slice', [rows, assembly.ints(0), count, assembly.ints(0)])] as const;
  });
  return {
    graph: assembly.graph(graph.inputs, Object.fromEntries(outputs)),
    outputs: types.map((type) => ofSize('batch', type)),
  };
}

const ofSize = (batch: number | 'batch', type: ValueInfo): ValueInfo => ({
  ...type,
  shape: [batch, ...type.shape.slice(1)],
});
