import { InputError } from '../errors.ts';
import type { Form } from '../layers/form.ts';
import type { LoopOptions, SampleSet, Samples, Subject, Sums } from '../methods/method.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { Expression } from '../onnx/expression.ts';
import type { Tensor } from '../tensor.ts';
import type { Block } from './block.ts';
import { filled, type LookedAt, lookedAt, type Region, startingAt } from './network.ts';
import type { Request } from './request.ts';
import { type Evaluated, evaluated } from './subject.ts';

/** A body was built for more rows than the network takes at once. */
class OtherRows extends Error {
  readonly rows: number;

  constructor(rows: number) {
    super(`${rows} rows`);
    this.rows = rows;
  }
}

/** Turns what a formula does with its subject into a block with loops. */
export class Tracer {
  readonly block: Block;
  /** Tensors that are the same for all images, by the inputs that take them. */
  readonly tensors = new Map<Value, Tensor>();
  private readonly request: Request;
  private readonly aux: Samples;
  private readonly chosen: Expression;
  private readonly constant: boolean;
  private readonly region: Region | undefined;
  /** Where the network is evaluated now. */
  private current: Block;

  /**
   * @param chosen how much each class counts for each image, a value of `g`
   * @param constant whether tensors that are the same for all images are constants of the graph
   * @param region how much each pixel counts, where a region is explained
   */
  constructor(
    request: Request,
    aux: Samples,
    g: GraphBuilder,
    chosen: Expression,
    constant: boolean,
    region?: Region,
  ) {
    this.constant = constant;
    this.region = region;
    this.request = request;
    this.aux = aux;
    this.chosen = chosen;
    this.block = { g, loops: [] };
    this.current = this.block;
  }

  /** What a formula sees of a network over some images. */
  subject(own: Evaluated, addsUp: Subject['addsUp'] = () => {}): Subject {
    const { layers } = this.request;
    const abilities = {
      aux: this.aux,
      at: (images) => this.at(images),
      from: (values) => this.from(layers[0]!.name, layers[0]!.form, values),
      startingFrom: (inside, values) => this.from(inside, { axes: 'CHW', prefix: 0 }, values),
      over: (samples, body, options) => this.over(samples, body, options),
      overInTurn: (samples, first, body) => this.overInTurn(samples, first, body),
      given: (tensor) => this.given(tensor),
      addsUp,
    } satisfies Omit<Subject, keyof Evaluated>;
    return Object.defineProperties(abilities, Object.getOwnPropertyDescriptors(own)) as Subject;
  }

  private at(images: Expression): Subject {
    const rows = this.here(images);
    return this.within(rows, lookedAt(this.request, rows.g, this.batched(rows), this.region));
  }

  private from(name: Value, form: Form, values: Expression): Subject {
    const rows = this.here(values);
    const { g } = rows;
    const image = g.capture(this.block.g, this.block.g.inputs[0]!.name);
    return this.within(
      rows,
      startingAt(this.request, g, { name, form }, this.batched(rows), image, this.region),
    );
  }

  /** A value as one of the graph where the network is evaluated now. */
  private here({ g, name }: Expression): Expression {
    if (this.current === this.block) throw new Error('other images are evaluated inside the body of a loop');
    return new Expression(this.current.g, this.current.g.capture(g, name));
  }

  /** Rows of as many as the network takes, where it takes batches of one size only. */
  private batched({ g, name, shape: [size] }: Expression): Value {
    const { batch } = this.request.classifier;
    if (batch === undefined || size === batch) return name;
    if (size !== 1) throw new OtherRows(size!);
    return filled(g, name, batch);
  }

  private within(image: Expression, network: LookedAt): Subject {
    return this.subject(evaluated(network, { image, chosen: this.chosen }));
  }

  private given(tensor: Tensor): Expression {
    const { g } = this.block;
    if (this.constant) return new Expression(g, g.constant(tensor));
    const input = g.input(`given_${this.tensors.size}`, tensor.dtype, tensor.shape);
    this.tensors.set(input, tensor);
    return new Expression(g, input);
  }

  private over<S extends SampleSet, T extends Sums>(
    samples: S,
    body: (chunk: { readonly [K in keyof S]: Expression }) => T,
    { oneByOne = false }: LoopOptions = {},
  ): T {
    checkCounts(samples);
    const { batch } = this.request.classifier;
    const once = Object.keys(samples).length === 0;
    const together = once ? undefined : oneByOne ? 1 : batch;
    try {
      return this.loop(samples, together, (chunk) => body(chunk));
    } catch (error) {
      if (!(error instanceof OtherRows) || together === undefined || oneByOne) throw error;
      return this.loop(samples, this.samplesOf(error.rows / together), (chunk) => body(chunk));
    }
  }

  /** How many samples of so many rows each fill the batch that the network takes. */
  private samplesOf(rows: number): number {
    const { classifier, method } = this.request;
    const samples = classifier.batch! / rows;
    if (!Number.isInteger(samples))
      throw new InputError(
        'method_not_supported',
        `${method.id} evaluates ${rows} rows per sample together, and the model takes batches of ${classifier.batch} only`,
      );
    return samples;
  }

  private overInTurn<S extends SampleSet, T extends Sums>(
    samples: S,
    first: T,
    body: (sample: { readonly [K in keyof S]: Expression }, state: T) => T,
  ): T {
    checkCounts(samples);
    return this.loop(samples, 1, body, first);
  }

  /** Traces a body into a graph of its own. */
  private loop<S extends SampleSet, T extends Sums>(
    samples: S,
    together: number | undefined,
    body: (chunk: { readonly [K in keyof S]: Expression }, state: T) => T,
    first?: T,
  ): T {
    const outer = this.current;
    const g = this.request.classifier.newGraph(outer.g);
    g.scope = 'explain';
    const inner: Block = { g, loops: [] };
    const inputs = Object.entries(samples).map(([name, sample]) => {
      const shape = [together ?? -1, ...sample.shape.slice(1)];
      return [name, sample, new Expression(g, g.input(name, sample.dtype, shape))] as const;
    });
    const chunk = Object.fromEntries(inputs.map(([name, , value]) => [name, value]));
    const states = Object.entries(named(first)).map(([name, value]) => {
      const input = g.input(`state_${name}`, value.dtype, value.shape);
      return { name, first: outer.g.capture(value.g, value.name), input };
    });
    const state = like(first, (name) => new Expression(g, states.find((one) => one.name === name)!.input));
    this.current = inner;
    let made: T;
    try {
      made = body(chunk as { readonly [K in keyof S]: Expression }, state as T);
    } finally {
      this.current = outer;
    }
    const prefix = `loop${outer.g.depth}_${outer.loops.length}`; // a body may have loops too
    const results = Object.entries(named(made)).map(([name, value]) => {
      const inside = g.capture(value.g, value.name);
      const outside = outer.g.input(`${prefix}_${name}`, g.dtype(inside), g.shape(inside));
      return { name, inside, outside };
    });
    outer.loops.push({
      body: inner,
      samples: new Map(inputs.map(([, sample, value]) => [value.name, sample])),
      together,
      results,
      states: first && results.map(({ name }) => states.find((one) => one.name === name)!),
    });
    const outside = new Map(results.map((result) => [result.name, result.outside]));
    return like(made, (name) => new Expression(outer.g, outside.get(name)!)) as T;
  }
}

/** What a loop gives, by name. */
const named = (sums: Sums | undefined): Readonly<Record<string, Expression>> =>
  sums === undefined ? {} : sums instanceof Expression ? { sum: sums } : sums;

/** Values in the form that a body gives its own in. */
const like = (sums: Sums | undefined, value: (name: string) => Expression): Sums | undefined =>
  sums === undefined
    ? undefined
    : sums instanceof Expression
      ? value('sum')
      : Object.fromEntries(Object.keys(sums).map((name) => [name, value(name)]));

/** @throws InputError where there are more samples of one kind than of another, or none */
function checkCounts(samples: SampleSet): void {
  const counts = Object.entries(samples).map(([name, { shape }]) => [name, shape[0]!] as const);
  if (counts.every(([, count]) => count === counts[0]![1] && count > 0)) return;
  const listed = counts.map(([name, count]) => `"${name}" ${count}`).join(', ');
  throw new InputError('invalid_tensor', `aux: as many samples of each are expected, got ${listed}`);
}
