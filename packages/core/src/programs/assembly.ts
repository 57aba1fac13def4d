import type { Attributes, Graph, Node, ValueInfo, ValueType } from '../onnx/graph.ts';
import { reachable } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { getOwn } from '../own.ts';
import { int64, type Tensor } from '../tensor.ts';

/** The name of a value of the assembled graph. */
type Value = string;

/** An assembled graph, and the types of its outputs. */
export interface Compiled {
  readonly graph: Graph;
  readonly outputs: readonly ValueInfo[];
}

/** A loop: its state, the rows that it runs over, and its body. Shapes are those of one iteration. */
interface Scan {
  readonly name: string;
  /** The values that each iteration hands to the next, with their values before the first. */
  readonly state?: readonly (ValueInfo & { readonly first: Value })[];
  /** The values of which each iteration takes one row. */
  readonly over: readonly (ValueInfo & { readonly of: Value })[];
  /** Makes the state of one iteration and the row that it adds to each output. */
  body(
    state: readonly Value[],
    rows: readonly Value[],
  ): { state?: readonly Value[]; outputs?: readonly ValueInfo[] };
}

/**
 * A graph assembled from graphs. Each has a scope of its own for its values; their constants are shared, however deep
 * in loops they are used, so that a network that occurs three times has its weights once.
 */
export class Assembly {
  readonly constants = new Map<Value, Tensor>();
  /** The opset of the loops, or the highest of the graphs that are placed. */
  private opset = 18;
  private nodes: Node[] = [];
  private readonly taken = new Set<Value>();
  private readonly alike = new Map<string, Value[]>();

  /** `reserved`: names of inputs and outputs. */
  constructor(reserved: readonly Value[]) {
    for (const name of reserved) this.taken.add(name);
  }

  emitAll(
    op: OperatorName,
    inputs: readonly Value[],
    attributes: Attributes,
    outputs: number,
    name: string = op,
  ): Value[] {
    const made = Array.from({ length: outputs }, () => this.named(name));
    this.nodes.push({ op, name: made[0]!, inputs, outputs: made, attributes });
    return made;
  }

  emit(op: OperatorName, inputs: readonly Value[], attributes: Attributes = {}, name: string = op): Value {
    return this.emitAll(op, inputs, attributes, 1, name)[0]!;
  }

  ints(...values: number[]): Value {
    return this.constant(int64([values.length], values));
  }

  /** Names a tensor; a tensor equal to an earlier constant gets the name of that constant. */
  constant(value: Tensor, name = 'const'): Value {
    const kind = `${value.dtype}[${value.shape}]`;
    const others = this.alike.get(kind) ?? [];
    const known = others.find((other) => same(this.constants.get(other)!, value));
    if (known !== undefined) return known;
    const made = this.named(name);
    this.constants.set(made, value);
    this.alike.set(kind, [...others, made]);
    return made;
  }

  /** Copies a graph, its inputs taking the given values; returns its outputs by name. */
  place(graph: Graph, scope: string, inputs: Readonly<Record<string, Value>>): Record<string, Value> {
    this.opset = Math.max(this.opset, graph.opset);
    const names = new Map<Value, Value>([['', '']]);
    for (const { name } of graph.inputs) names.set(name, getOwn(inputs, name)!);
    const nodes = reachable(graph.nodes, graph.outputs);
    for (const value of new Set([...nodes.flatMap((node) => node.inputs), ...graph.outputs])) {
      const constant = graph.constants.get(value);
      if (constant) names.set(value, this.constant(constant, value));
    }
    const batch = this.named(`${scope}/batch`); // as large as its inputs make it, and not as that of another graph
    const within = (type: ValueType | undefined) =>
      type && {
        ...type,
        shape: type.shape.map((d) => (typeof d === 'string' ? d.replace('batch', batch) : d)),
      };
    for (const node of nodes) {
      const outputs = node.outputs.map((output) => (output === '' ? '' : this.named(`${scope}/${output}`)));
      node.outputs.forEach((output, i) => {
        if (output !== '') names.set(output, outputs[i]!);
      });
      const inner = node.inputs.map((input) => names.get(input)!);
      const types = node.types?.map(within) ?? [];
      this.nodes.push({ ...node, name: this.named(`${scope}/${node.name}`), inputs: inner, outputs, types });
    }
    return Object.fromEntries(graph.outputs.map((output) => [output, names.get(output)!]));
  }

  /** Adds a loop; returns the last state, then the outputs of all iterations as rows. */
  scan({ name, state = [], over, body }: Scan): Value[] {
    const inner = (value: ValueInfo) => ({ ...value, name: this.named(`${name}/${value.name}`) });
    const [held, rows] = [state.map(inner), over.map(inner)];
    const outside = this.nodes;
    this.nodes = [];
    const made = body(
      held.map((value) => value.name),
      rows.map((value) => value.name),
    );
    const nodes = this.nodes;
    this.nodes = outside;
    const typed = (value: ValueInfo, i: number) => ({ ...value, name: made.state![i]! });
    const outputs = [...state.map(typed), ...(made.outputs ?? [])];
    return this.emitAll(
      'Scan',
      [...state.map(({ first }) => first), ...over.map(({ of }) => of)],
      {
        num_scan_inputs: over.length,
        body: { body: { name, inputs: [...held, ...rows], outputs, nodes } },
      },
      outputs.length,
      name,
    );
  }

  /** Makes the graph, with outputs under the given names. */
  graph(inputs: readonly ValueInfo[], outputs: Readonly<Record<string, Value>>): Graph {
    const ends = Object.entries(outputs).map(
      ([name, value]): Node => ({
        op: 'Identity',
        name: `output/${name}`,
        inputs: [value],
        outputs: [name],
        attributes: {},
      }),
    );
    return {
      name: 'whylight',
      opset: this.opset,
      inputs,
      outputs: Object.keys(outputs),
      nodes: [...this.nodes, ...ends],
      constants: this.constants,
    };
  }

  private named(stem: string): Value {
    let name = stem;
    for (let k = 1; this.taken.has(name); k++) name = `${stem}_${k}`;
    this.taken.add(name);
    return name;
  }
}

/** Whether two tensors of the same type and shape are equal to the bit. */
function same(a: Tensor, b: Tensor): boolean {
  if (a.data === b.data) return true;
  const [x, y] = [a, b].map(
    ({ data }) => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  ) as [Uint8Array, Uint8Array];
  return x.every((byte, i) => byte === y[i]);
}
