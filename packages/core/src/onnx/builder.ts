import { InputError } from '../errors.ts';
import { groupBy } from '../group-by.ts';
import { type DType, float32, int64, sizeOf, type Tensor } from '../tensor.ts';
import { isFloat } from './dtype.ts';
import { type Fact, followed, followedFloats, type ShapeInference } from './fact.ts';
import { type Attributes, type Graph, type Node, toInt64, type ValueInfo, type ValueType } from './graph.ts';
import { quoted } from './names.ts';
import type { OperatorName } from './operator-names.ts';

/** A value of the graph, by name. */
export type Value = string;

/**
 * A dimension: a positive number is a size, `-k` is k times the batch size. Every size except the batch is static.
 * Shapes are followed at two batch sizes: a size that differs between the two depends on the batch.
 */
export type Dim = number;
export type Shape = readonly Dim[];

/** The batch sizes at which shapes are followed: distinct primes that no layer has as a size. */
const probes = [7, 11] as const;

/** Writes a shape as ONNX does. */
const symbolic = (shape: Shape): (number | string)[] =>
  shape.map((d) => (d >= 0 ? d : d === -1 ? 'batch' : `${-d}*batch`));

/** Most elements to follow in all results: each is kept, and a few bytes of a file can ask for thousands. */
const mostFollowed = 2 ** 24;

/**
 * Builds a graph node by node and knows the shape of every value in it. So a rule can ask for a shape, and a wrong
 * node fails where it is made.
 */
export class GraphBuilder {
  readonly opset: number;
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  readonly inputs: ValueInfo[] = [];
  /** The prefix of the names of nodes and values that are made next: `layer4/conv2/grad`. */
  scope = '';
  /** Names of the file's own values, which no new value may get. */
  readonly reserved = new Set<Value>();
  /** The graph around this graph, if this graph is the body of a loop. */
  readonly enclosing: GraphBuilder | undefined;
  /** The number of graphs around this graph. */
  readonly depth: number;
  /** Inputs of this graph that are values of the enclosing graph, by their names there. */
  readonly captures = new Map<Value, Value>();
  private readonly inference: ShapeInference;
  private readonly batches: readonly [number, number];
  private readonly facts = new Map<Value, readonly [Fact, Fact]>();
  private readonly fed = new Set<Value>();
  private readonly makers = new Map<Value, Node>();
  private readonly shared = new Map<string, Value>();
  private serial = 0;
  private elementsFollowed = 0;

  /**
   * (`newGraph` passes the operators' shape rules.)
   *
   * @param batch the batch size that the model has baked in; the batch is open if it is left out
   * @param enclosing the graph around this graph, for the body of a loop
   */
  constructor(opset: number, inference: ShapeInference, batch?: number, enclosing?: GraphBuilder) {
    this.enclosing = enclosing;
    this.depth = enclosing ? enclosing.depth + 1 : 0;
    this.opset = opset;
    this.inference = inference;
    this.batches = batch === undefined ? probes : [batch, batch];
  }

  /** Adds an input that users know as `name`, even if the model has a tensor of that name. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.reserved.has(name) || this.facts.has(name) ? this.unique(name) : name;
    this.inputs.push({ name: value, dtype, shape: symbolic(shape), ...(value !== name && { known: name }) });
    this.fed.add(value);
    this.setFacts(value, (batch) => ({ dtype, shape: shape.map((d) => (d < 0 ? -d * batch : d)) }));
    return value;
  }

  /** Makes a value of a graph around this graph a value here: a constant, or an input that the loop passes in. */
  capture(from: GraphBuilder, value: Value): Value {
    if (from === this) return value;
    if (!this.enclosing)
      throw new Error(`${quoted(value)} is a value of a graph that is not around this one`);
    const outside = this.enclosing.capture(from, value);
    const constant = this.enclosing.constants.get(outside);
    if (constant) return this.sameConstant(outside, constant);
    const known = this.captures.get(outside);
    if (known !== undefined) return known;
    const shape = this.enclosing.shape(outside);
    if (shape.some((d) => d < 0))
      throw new Error(`${quoted(value)} has as many rows as the batch around the loop`);
    const inside = this.input(`outside/${outside}`, this.enclosing.dtype(outside), shape);
    this.captures.set(outside, inside);
    return inside;
  }

  /** Adds a constant of the graph around this graph, under the same name if it is free. */
  private sameConstant(name: Value, value: Tensor): Value {
    if (this.constants.get(name) === value) return name;
    if (this.facts.has(name)) return this.constant(value);
    this.reserved.add(name);
    return this.constant(value, name);
  }

  /** Whether a batch size is baked in. */
  get batched(): boolean {
    return this.batches !== probes;
  }

  /** Adds a tensor as a constant and returns its name; small equal tensors share a name. */
  constant(value: Tensor, name?: string): Value {
    const size = sizeOf(value.shape);
    const key = size <= 64 ? `${value.dtype}[${value.shape}]${value.data}` : undefined;
    const known = name === undefined && key !== undefined ? this.shared.get(key) : undefined;
    if (known !== undefined) return known;
    const made = name ?? this.unique(size === 1 ? `const_${value.data[0]}` : 'const');
    this.constants.set(made, value);
    const elements =
      size <= (isFloat(value.dtype) ? followedFloats : followed) && value.dtype !== 'float16'
        ? Array.from(value.data as ArrayLike<number | bigint>, Number)
        : undefined;
    this.setFacts(made, () => ({ dtype: value.dtype, shape: value.shape, value: elements }));
    if (key !== undefined && name === undefined) this.shared.set(key, made);
    return made;
  }

  scalar(value: number, dtype: 'float32' | 'float64' = 'float32'): Value {
    return this.constant({
      dtype,
      shape: [],
      data: dtype === 'float32' ? Float32Array.of(value) : Float64Array.of(value),
    });
  }

  ints(values: readonly number[]): Value {
    return this.constant(int64([values.length], values.map(toInt64)));
  }

  floats(shape: readonly number[], values: readonly number[] | Float32Array): Value {
    return this.constant(float32(shape, values));
  }

  /** Appends a node with given names and follows its shapes. @throws ShapeError if the shapes contradict each other */
  add(node: Node): void {
    this.nodes.push(node);
    const fed = node.inputs.some((input) => this.fed.has(input));
    for (const output of node.outputs) {
      this.makers.set(output, node);
      if (fed) this.fed.add(output);
    }
    if (!this.inference.knows(node.op)) return;
    const [first, second] = this.batches.map((_, side) =>
      this.inference.infer(node, (value) => this.facts.get(value)?.[side]),
    ) as [readonly Fact[], readonly Fact[]];
    node.outputs.forEach((output, i) => {
      if (output === '' || !first[i] || !second[i]) return;
      this.facts.set(output, [first[i], second[i]]);
      this.elementsFollowed += first[i].value?.length ?? 0;
    });
    if (this.elementsFollowed > mostFollowed)
      throw new InputError(
        'model_too_large',
        `the model computes more than ${mostFollowed} elements of constants, as far as node ${quoted(node.name)}`,
      );
  }

  /** Appends a node and returns its outputs. */
  emitAll(op: OperatorName, inputs: readonly Value[], attributes: Attributes, outputs: number): Value[] {
    return this.copy({ op, attributes }, inputs, outputs);
  }

  /** Appends a copy of a node with other inputs and returns its outputs; a function keeps its spelling. */
  copy(
    { op, attributes, spelling }: Pick<Node, 'op' | 'attributes' | 'spelling'>,
    inputs: readonly Value[],
    outputs = 1,
  ): Value[] {
    const base = this.unique(op);
    const names = outputs === 1 ? [base] : Array.from({ length: outputs }, (_, i) => `${base}:${i}`);
    this.add({ op, name: base, inputs, outputs: names, attributes, ...(spelling && { spelling }) });
    return names;
  }

  emit(op: OperatorName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.emitAll(op, inputs, attributes, 1)[0]!;
  }

  /** Returns output `k` of a node that is in the graph already; adds the output if the node did not give it so far. */
  demandOutput(node: Node, k: number): Value {
    const at = this.nodes.findIndex((n) => n.outputs[0] === node.outputs[0]);
    const present = this.nodes[at]!;
    if (present.outputs[k]) return present.outputs[k];
    const outputs = Array.from(
      { length: k + 1 },
      (_, i) => present.outputs[i] || `${present.outputs[0]}/output_${i}`,
    );
    this.add({ ...present, outputs });
    this.nodes[at] = this.nodes.pop()!;
    return outputs[k]!;
  }

  /** Replaces the nodes from `from` on by other nodes that give the same values. */
  replaceNodes(from: number, nodes: Iterable<Node>): void {
    for (const node of this.nodes.splice(from))
      for (const output of node.outputs) if (this.makers.get(output) === node) this.makers.delete(output);
    for (const node of nodes) {
      this.nodes.push(node);
      for (const output of node.outputs) this.makers.set(output, node);
    }
  }

  /** @throws InputError when an operator on the way to this value is unknown. */
  shape(value: Value): Shape {
    const shape = this.scaling(this.factsOf(value));
    if (!shape)
      throw new InputError('invalid_model', `the shape of ${quoted(value)} does not scale with the batch`);
    return shape;
  }

  /** Gives a value's type in ONNX's form, if it is known. */
  type(value: Value): ValueType | undefined {
    const facts = this.facts.get(value);
    const shape = facts && this.scaling(facts);
    return shape && { dtype: facts[0].dtype, shape: symbolic(shape) };
  }

  dtype(value: Value): DType {
    return this.factsOf(value)[0].dtype;
  }

  /** Returns the node that makes a value; inputs and constants have none. */
  maker(value: Value): Node | undefined {
    return this.makers.get(value);
  }

  /** Tells whether a value is computed from an input, not from constants alone. */
  dependsOnInputs(value: Value): boolean {
    return this.fed.has(value);
  }

  knows(value: Value): boolean {
    return this.facts.has(value);
  }

  /** Returns the elements of a value if they are known and do not depend on the batch. */
  elements(value: Value): readonly number[] | undefined {
    const [a, b] = this.facts.get(value) ?? [];
    return a?.value &&
      b?.value?.every((v, i) => Object.is(v, a.value![i])) &&
      a.value.length === b.value.length
      ? a.value
      : undefined;
  }

  /** Returns the facts of a value, for each batch size at which shapes are followed. */
  factsEach(value: Value): readonly Fact[] {
    return this.facts.get(value) ?? [];
  }

  /** Tells whether a value's elements are 0, 1, 2, … at every batch size. */
  counts(value: Value): boolean {
    return this.facts.get(value)?.every((fact) => fact.value?.every((v, i) => v === i)) ?? false;
  }

  /** Returns the facts of a value at the first of the batch sizes that are followed. */
  factOf(value: Value): Fact | undefined {
    return this.facts.get(value)?.[0];
  }

  /** Infers the facts of a node's outputs at that batch size, with other facts of some values. */
  inferredFrom(node: Node, given: ReadonlyMap<Value, Fact>): readonly Fact[] {
    return this.inference.infer(node, (value) => given.get(value) ?? this.factOf(value));
  }

  /** Finds the value with the most elements per row of the batch, among values of known shape. */
  largest(): { readonly value: Value; readonly elements: number } | undefined {
    const sizes = Array.from(this.facts, ([value, [{ shape }]]) => ({
      value,
      elements: Math.ceil(sizeOf(shape) / this.batches[0]),
    }));
    return sizes.reduce((a, b) => (a && a.elements >= b.elements ? a : b), sizes[0]);
  }

  /** Sets the type and shape of a value of which no shape rule tells them. */
  declare(value: Value, dtype: DType, shape: Shape): void {
    if (!this.facts.has(value))
      this.setFacts(value, (batch) => ({ dtype, shape: shape.map((d) => (d < 0 ? -d * batch : d)) }));
  }

  /** Counts the elements that each further row of the batch adds to a value. */
  growth(value: Value): number {
    const [a, b] = this.factsOf(value).map(({ shape }) => sizeOf(shape)) as [number, number];
    return a === b ? 0 : (b - a) / (this.batches[1] - this.batches[0]);
  }

  /** Gives a removed node's output the facts of the value that it stands for. */
  alias(value: Value, original: Value): void {
    const facts = this.facts.get(original);
    if (facts) this.facts.set(value, facts);
  }

  graph(name: string, outputs: readonly Value[]): Graph {
    return {
      name,
      opset: this.opset,
      inputs: this.inputs,
      outputs,
      nodes: this.nodes.map((node) => ({ ...node, types: node.outputs.map((y) => this.type(y)) })),
      constants: this.constants,
    };
  }

  /** Runs `make`; names that it makes begin with `scope`. */
  within<T>(scope: string, make: () => T): T {
    const outer = this.scope;
    this.scope = scope;
    try {
      return make();
    } finally {
      this.scope = outer;
    }
  }

  private unique(stem: string): string {
    const name = `${this.scope ? `${this.scope}/` : ''}${stem}_${this.serial++}`;
    return this.reserved.has(name) ? this.unique(stem) : name;
  }

  private scaling([a, b]: readonly [Fact, Fact]): Shape | undefined {
    const shape = a.shape.map((d, i) => {
      const e = b.shape[i]!;
      const k = d / this.batches[0];
      if (d === e) return d;
      return Number.isInteger(k) && k === e / this.batches[1] ? -k : undefined;
    });
    return shape.every((d) => d !== undefined) ? shape : undefined;
  }

  private setFacts(value: Value, fact: (batch: number) => Fact): void {
    this.facts.set(value, [fact(this.batches[0]), fact(this.batches[1])]);
  }

  private factsOf(value: Value): readonly [Fact, Fact] {
    const facts = this.facts.get(value);
    if (!facts)
      throw new InputError(
        'model_unsupported_op',
        `the shape of ${quoted(value)} is not known: ${this.blame(value)}`,
      );
    return facts;
  }

  /** Says why nothing is known of `value`: operators without a shape rule, or a node whose shape follows from data. */
  private blame(value: Value): string {
    for (let maker = this.makers.get(value); maker; ) {
      const cause = maker.inputs.find((input) => input !== '' && !this.facts.has(input));
      const known = this.inference.knows(maker.op);
      if (cause !== undefined && known) maker = this.makers.get(cause);
      else if (known) return `node ${quoted(maker.name)} (${maker.op}) has a shape that depends on data`;
      else return this.unfollowed();
    }
    return 'nothing makes it';
  }

  private unfollowed(): string {
    const lacking = this.nodes.filter(
      ({ op, outputs }) =>
        !this.inference.knows(op) && outputs.some((output) => output !== '' && !this.facts.has(output)),
    );
    const named = Array.from(
      groupBy(lacking, ({ op }) => op),
      ([op, nodes]) =>
        `${op} (${nodes.length > 1 ? `${nodes.length} nodes` : `node ${quoted(nodes[0]!.name)}`})`,
    );
    return `${named.length > 1 ? 'operators' : 'operator'} ${named.join(', ')} ${named.length > 1 ? 'are' : 'is'} not supported`;
  }
}
