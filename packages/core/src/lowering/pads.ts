import { type Attributes, ints, text } from '../onnx/graph.ts';
import { windowOf } from '../operators/window.ts';
import { keep, type Upgrade } from './upgraded.ts';

export const without = (attributes: Attributes, ...names: string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));

/** Writes a window's padding in numbers, if a rule gives it. */
export const spellPads: Upgrade = (g, node) => {
  if (text(node, 'auto_pad', 'NOTSET') === 'NOTSET' || !g.knows(node.inputs[0]!)) return keep(node);
  const spatial = g.shape(node.inputs[0]!).slice(2);
  const kernel = ints(node, 'kernel_shape') ?? g.shape(node.inputs[1]!).slice(2);
  const { before, after } = windowOf(node, kernel, spatial);
  return keep({
    ...node,
    attributes: { ...without(node.attributes, 'auto_pad'), pads: [...before, ...after] },
  });
};
