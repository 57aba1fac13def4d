import { sizeOf } from '../tensor.ts';
import { type Attribute, type Graph, reachable } from './graph.ts';

/** Writes a graph as text, one node per line, for people and for snapshot tests. */
export function listing(graph: Graph): string {
  const inputs = graph.inputs.map(({ name, dtype, shape }) => `${name}: ${dtype} [${shape.join(', ')}]`);
  const nodes = reachable(graph.nodes, graph.outputs).map(({ op, inputs: xs, outputs, attributes }) => {
    const written = Object.entries(attributes).map(([name, value]) => `${name}=${show(value)}`);
    const operands = xs.map((x) => shown(x, graph));
    return `${outputs.filter((o) => o !== '').join(', ')} = ${op}(${[...operands, ...written].join(', ')})`;
  });
  return [`(${inputs.join(', ')})`, ...nodes, `return ${graph.outputs.join(', ')}`].join('\n');
}

/** Shows a value: a small constant by its elements. */
function shown(value: string, graph: Graph): string {
  const constant = graph.constants.get(value);
  if (!constant) return value === '' ? '_' : value;
  return sizeOf(constant.shape) <= 8
    ? constant.shape.length === 0
      ? `${constant.data[0]}`
      : `[${constant.data.join(' ')}]`
    : value;
}

function show(value: Attribute): string {
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  if ('float' in value) return String(value.float);
  if ('body' in value) return value.body.name;
  if ('floats' in value) return `[${value.floats.join(' ')}]`;
  const { dtype, shape } = (value as { tensor: { dtype: string; shape: readonly number[] } }).tensor;
  return `${dtype}[${shape}]`;
}
