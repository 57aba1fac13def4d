import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import type { Value } from '../onnx/builder.ts';
import { forwardModel } from '../programs/forward.ts';
import type { ScoreKind } from '../targets.ts';
import { float32, row, type Tensor } from '../tensor.ts';
import { type Body, headImages, headNetwork } from '../testing/heads.ts';
import { cpu } from '../testing/ort.ts';
import { type ClassifierOptions, readClassifier } from './classifier.ts';
import type { Head } from './head.ts';

/** What ONNX Runtime gives for a file, one output. */
async function run(bytes: Uint8Array, image: Tensor<'float32'> = headImages, output?: string) {
  const session = await cpu.load(bytes);
  const results = await session.run({ image });
  await session.close();
  const { data } = output === undefined ? Object.values(results)[0]! : results[output]!;
  return Array.from(data as Float32Array);
}

const softmaxOf = ({ of }: Body, z: Value, axis = 1) => of('Softmax', [z], { axis });
const ints = ({ g }: Body, ...values: number[]) => g.ints(values);
const byHand = (b: Body, z: Value) => {
  const powers = b.of('Exp', [b.of('Sub', [z, b.of('ReduceMax', [z, ints(b, 1)], { keepdims: 1 })])]);
  return b.of('Div', [powers, b.of('ReduceSum', [powers, ints(b, 1)], { keepdims: 1 })]);
};
const logOdds = (b: Body, p: Value) => b.of('Log', [b.of('Div', [p, b.of('Sub', [1, p])])]);
const column = (b: Body, z: Value, ...columns: number[]) =>
  b.of('Gather', [z, ints(b, ...columns)], { axis: 1 });

interface Case {
  readonly head: (b: Body) => Value;
  /** What is explained, of the same body; nothing where it is the output itself. */
  readonly explained?: (b: Body) => Value;
  readonly kind: Head['kind'];
  readonly task: Head['task'];
  /** The probability that a number of the output says, if not itself; `softmax`: that of the row; null: none. */
  readonly shown?: ((value: number) => number) | 'softmax' | null;
  readonly name?: string;
  readonly options?: ClassifierOptions;
  readonly note?: string;
}
const multiclass = { kind: 'softmax', task: 'multiclass', explained: (b: Body) => b.scores(4) } as const;
const sigmoids = { kind: 'sigmoid', task: 'multilabel', explained: (b: Body) => b.scores(4) } as const;
const binary = { kind: 'sigmoid', task: 'binary', explained: (b: Body) => b.scores(1) } as const;
const number = { kind: 'number', task: 'regression', shown: null } as const;

const cases: Readonly<Record<string, Case>> = {
  'a softmax': { ...multiclass, head: (b) => softmaxOf(b, b.scores(4)), note: 'ends in Softmax' },
  'a softmax, cut off': {
    ...multiclass,
    head: (b) => b.of('Clip', [softmaxOf(b, b.scores(4)), 1e-7, 1 - 1e-7]),
  },
  'a softmax by hand': { ...multiclass, head: (b) => byHand(b, b.scores(4)) },
  'a softmax by hand, cut off and permuted': {
    ...multiclass,
    head: (b) => column(b, b.of('Max', [byHand(b, b.scores(4)), 1e-6]), 2, 0, 3, 1),
    explained: (b) => column(b, b.scores(4), 2, 0, 3, 1),
  },
  'a softmax, of which some classes are given': {
    ...multiclass,
    head: (b) => column(b, softmaxOf(b, b.scores(6)), 5, 1, 2),
    explained: (b) => column(b, b.scores(6), 5, 1, 2),
  },
  'a softmax in percent': {
    ...multiclass,
    head: (b) => b.of('Mul', [softmaxOf(b, b.scores(4)), 100]),
    shown: (v) => v / 100,
    note: 'its output is a probability times 100',
  },
  'a softmax over something': {
    ...multiclass,
    head: (b) => b.of('Div', [softmaxOf(b, b.scores(4)), 0.004]),
    shown: (v) => v / 250,
  },
  'a softmax with something added': {
    ...multiclass,
    head: (b) => b.of('Add', [softmaxOf(b, b.scores(4)), 1e-7]),
  },
  'a softmax that is smoothed': {
    ...multiclass,
    head: (b) => b.of('Add', [b.of('Mul', [softmaxOf(b, b.scores(4)), 0.9]), 0.025]),
  },
  'a softmax of a temperature': {
    ...multiclass,
    head: (b) => softmaxOf(b, b.of('Div', [b.scores(4), 2.5])),
    explained: (b) => b.of('Div', [b.scores(4), 2.5]),
  },
  'a softmax [N, K, 1, 1]': {
    ...multiclass,
    head: (b) => softmaxOf(b, b.of('Reshape', [b.scores(4), ints(b, -1, 4, 1, 1)])),
  },
  'a softmax [N, 1, K], turned': {
    ...multiclass,
    head: (b) =>
      b.of('Transpose', [softmaxOf(b, b.of('Reshape', [b.scores(4), ints(b, -1, 4, 1)]))], {
        perm: [0, 2, 1],
      }),
  },
  'a softmax, split and joined otherwise': {
    ...multiclass,
    head: (b) => {
      const [x, y] = b.g.emitAll('Split', [softmaxOf(b, b.scores(4)), ints(b, 1, 3)], { axis: 1 }, 2);
      return b.of('Concat', [y!, x!], { axis: 1 });
    },
    explained: (b) => column(b, b.scores(4), 1, 2, 3, 0),
  },
  'a log-softmax': {
    ...multiclass,
    head: (b) => b.of('LogSoftmax', [b.scores(4)], { axis: 1 }),
    shown: Math.exp,
  },
  'the logarithm of a softmax that is cut off': {
    ...multiclass,
    head: (b) => b.of('Log', [b.of('Clip', [softmaxOf(b, b.scores(4)), 1e-7, 1])]),
    shown: Math.exp,
  },
  logits: { ...multiclass, head: (b) => b.scores(4), shown: 'softmax' },
  'logits that are cut off': {
    ...multiclass,
    head: (b) => b.of('Clip', [b.scores(4), -5, 5]),
    explained: (b) => b.of('Clip', [b.scores(4), -5, 5]),
    shown: 'softmax',
  },
  sigmoids: { ...sigmoids, head: (b) => b.of('Sigmoid', [b.scores(4)]) },
  'sigmoids by hand, cut off': {
    ...sigmoids,
    head: (b) =>
      b.of('Clip', [b.of('Div', [1, b.of('Add', [1, b.of('Exp', [b.of('Neg', [b.scores(4)])])])]), 0, 1]),
  },
  'logits of sigmoids, as somebody says': {
    ...sigmoids,
    head: (b) => b.scores(4),
    options: { task: 'multilabel' },
    shown: (v) => 1 / (1 + Math.exp(-v)),
    note: 'each class has a probability of its own, the sigmoid of its logit',
  },
  'a sigmoid': { ...binary, head: (b) => b.of('Sigmoid', [b.scores(1)]), note: 'target -0' },
  'a sigmoid [N]': {
    ...binary,
    head: (b) => b.of('Squeeze', [b.of('Sigmoid', [b.scores(1)]), ints(b, 1)]),
  },
  'a sigmoid [N, 1, 1]': {
    ...binary,
    head: (b) => b.of('Reshape', [b.of('Sigmoid', [b.scores(1)]), ints(b, -1, 1, 1)]),
  },
  'a sigmoid, called by what it measures, with two labels': {
    ...binary,
    head: (b) => b.of('Sigmoid', [b.scores(1)]),
    name: 'quality',
    options: { labels: 2 },
  },
  'a sigmoid and what is left of it': {
    kind: 'sigmoid',
    task: 'multiclass',
    head: (b) => {
      const p = b.of('Sigmoid', [b.scores(1)]);
      return b.of('Concat', [b.of('Sub', [1, p]), p], { axis: 1 });
    },
    explained: (b) => {
      const z = b.scores(1);
      return b.of('Concat', [b.of('Neg', [z]), z], { axis: 1 });
    },
  },
  'one class of a softmax of two': {
    ...binary,
    head: (b) => column(b, softmaxOf(b, b.scores(2)), 1),
    explained: (b) => {
      const z = b.scores(2);
      return b.of('Sub', [column(b, z, 1), column(b, z, 0)]);
    },
    note: 'log-odds',
  },
  'a softmax of two for each label': {
    ...sigmoids,
    head: (b) => {
      const pairs = softmaxOf(b, b.of('Reshape', [b.scores(8), ints(b, -1, 4, 2)]), 2);
      return b.of(
        'Gather',
        [pairs, b.g.constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(1n) })],
        {
          axis: 2,
        },
      );
    },
    explained: (b) => {
      const z = b.scores(8);
      return b.of('Sub', [column(b, z, 1, 3, 5, 7), column(b, z, 0, 2, 4, 6)]);
    },
  },
  'a tanh between 0 and 1': {
    ...binary,
    head: (b) => b.of('Mul', [b.of('Add', [b.of('Tanh', [b.scores(1)]), 1]), 0.5]),
    explained: (b) => b.of('Mul', [b.scores(1), 2]),
  },
  'a hard sigmoid': { ...sigmoids, head: (b) => b.of('HardSigmoid', [b.scores(4)]) },
  'one logit, by its name': {
    ...binary,
    name: 'logit',
    head: (b) => b.scores(1),
    shown: (v) => 1 / (1 + Math.exp(-v)),
  },
  'one logit, by two labels': {
    ...binary,
    options: { labels: 2 },
    head: (b) => b.scores(1),
    shown: (v) => 1 / (1 + Math.exp(-v)),
  },
  'the mean of three softmaxes': {
    kind: 'mixture',
    task: 'multiclass',
    head: (b) =>
      b.of(
        'Mean',
        [1, 2, 3].map(() => softmaxOf(b, b.scores(4))),
      ),
    explained: (b) =>
      logOdds(
        b,
        b.of(
          'Mean',
          [1, 2, 3].map(() => softmaxOf(b, b.scores(4))),
        ),
      ),
    note: 'log-odds',
  },
  'the mean of softmaxes, added and divided': {
    kind: 'mixture',
    task: 'multiclass',
    head: (b) => b.of('Div', [b.of('Add', [softmaxOf(b, b.scores(4)), softmaxOf(b, b.scores(4))]), 2]),
    explained: (b) =>
      logOdds(b, b.of('Div', [b.of('Add', [softmaxOf(b, b.scores(4)), softmaxOf(b, b.scores(4))]), 2])),
  },
  'the mean of softmaxes that are stacked': {
    kind: 'mixture',
    task: 'multiclass',
    head: (b) =>
      b.of('ReduceMean', [softmaxOf(b, b.of('Reshape', [b.scores(12), ints(b, -1, 3, 4)]), 2), ints(b, 1)], {
        keepdims: 0,
      }),
    explained: (b) =>
      logOdds(
        b,
        b.of(
          'ReduceMean',
          [softmaxOf(b, b.of('Reshape', [b.scores(12), ints(b, -1, 3, 4)]), 2), ints(b, 1)],
          {
            keepdims: 0,
          },
        ),
      ),
  },
  'the mean of two sigmoids': {
    kind: 'mixture',
    task: 'multilabel',
    head: (b) => b.of('Mean', [b.of('Sigmoid', [b.scores(4)]), b.of('Sigmoid', [b.scores(4)])]),
    explained: (b) =>
      logOdds(b, b.of('Mean', [b.of('Sigmoid', [b.scores(4)]), b.of('Sigmoid', [b.scores(4)])])),
  },
  'the probability of several classes together': {
    kind: 'mixture',
    task: 'binary',
    head: (b) => b.of('ReduceSum', [column(b, softmaxOf(b, b.scores(4)), 0, 2), ints(b, 1)], { keepdims: 1 }),
    explained: (b) =>
      logOdds(
        b,
        b.of('ReduceSum', [column(b, softmaxOf(b, b.scores(4)), 0, 2), ints(b, 1)], { keepdims: 1 }),
      ),
  },
  'ordinal probabilities': {
    kind: 'mixture',
    task: 'multiclass',
    head: (b) => ordinal(b),
    explained: (b) => logOdds(b, ordinal(b)),
  },
  'shares of what is positive': {
    kind: 'mixture',
    task: 'multiclass',
    head: (b) => shares(b),
    explained: (b) => logOdds(b, shares(b)),
  },
  'a number': { ...number, head: (b) => b.scores(1), note: 'plain number' },
  'a number that a sigmoid bounds, by its name': {
    ...number,
    name: 'age',
    head: (b) => b.of('Sigmoid', [b.scores(1)]),
    note: 'a plain number that Sigmoid',
  },
  'a number that a sigmoid bounds, by its range': {
    ...number,
    head: (b) => b.of('Add', [b.of('Mul', [b.of('Sigmoid', [b.scores(1)]), 4]), 1]),
  },
  'a number that a sigmoid bounds, as somebody says': {
    ...number,
    head: (b) => b.of('Sigmoid', [b.scores(1)]),
    options: { task: 'regression' },
  },
  'the expected value of a softmax': {
    ...number,
    head: (b) =>
      b.of(
        'ReduceSum',
        [b.of('Mul', [softmaxOf(b, b.scores(4)), b.g.floats([1, 4], [1, 2, 3, 4])]), ints(b, 1)],
        { keepdims: 1 },
      ),
  },
  'the rank that sigmoids add up to': {
    ...number,
    head: (b) => b.of('ReduceSum', [b.of('Sigmoid', [b.scores(5)]), ints(b, 1)], { keepdims: 1 }),
  },
  'squares of probabilities': {
    kind: 'number',
    task: 'multiclass',
    shown: null,
    head: (b) => {
      const p = softmaxOf(b, b.scores(4));
      return b.of('Mul', [p, p]);
    },
  },
};

/** Cumulative sigmoids of one score against rising thresholds, and the probability of each rank. */
function ordinal(b: Body): Value {
  const above = b.of('Sigmoid', [b.of('Add', [b.scores(1), b.g.floats([1, 3], [1, 0, -1])])]);
  const [first, last] = [b.g.floats([1, 1], [0]), column(b, above, 2)];
  const middle = b.of('Sub', [column(b, above, 0, 1), column(b, above, 1, 2)]);
  return b.of('Concat', [b.of('Sub', [1, column(b, above, 0)]), middle, b.of('Add', [last, first])], {
    axis: 1,
  });
}

function shares(b: Body): Value {
  const evidence = b.of('Add', [b.of('Softplus', [b.scores(4)]), 1]);
  return b.of('Div', [evidence, b.of('ReduceSum', [evidence, ints(b, 1)], { keepdims: 1 })]);
}

const table = Object.entries(cases).map(([title, given]) => [title, given] as const);
const fileOf = (head: (b: Body) => Value, name = 'out') => headNetwork((b) => [b.named(name, head(b))]);

describe('M5: a model is shown with its own numbers, and explained before the last squashing function', () => {
  it.each(table)('%s', async (_, { head, explained, kind, task, shown, name, options, note }) => {
    const bytes = fileOf(head, name);
    const classifier = readClassifier(bytes, options);
    expect(classifier.head).toMatchObject({ kind, task });
    expect(classifier.notes.map(({ message }) => message).join('; ')).toContain(note ?? '');
    const output = await run(bytes);
    expect(classifier.classes).toBe(output.length / 3);
    const { logits, probabilities } = await forward(classifier);
    const wanted = explained ? await run(fileOf(explained)) : output;
    close(logits!, wanted);
    if (shown === null) return expect(probabilities).toBeUndefined();
    const expected = shown === 'softmax' ? rowSoftmax(output) : output.map(shown ?? ((v) => v));
    close(probabilities!, expected, 1e-5);
  });

  const forward = async (classifier: ReturnType<typeof readClassifier>, score?: ScoreKind) => {
    const session = await cpu.load(forwardModel(classifier, score));
    const found = await session.run({ image: headImages });
    await session.close();
    return Object.fromEntries(
      Object.entries(found).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
    );
  };
  const close = (found: readonly number[], expected: readonly number[], tolerance = 3e-5) => {
    expect(found.length).toBe(expected.length);
    const scale = Math.max(1, ...expected.map(Math.abs));
    for (const [i, v] of found.entries()) expect(Math.abs(v - expected[i]!) / scale).toBeLessThan(tolerance);
  };
  const rowSoftmax = (z: readonly number[]) =>
    [0, 1, 2].flatMap((n) => {
      const own = z.slice((n * z.length) / 3, ((n + 1) * z.length) / 3).map(Math.exp);
      return own.map((v) => v / own.reduce((a, b) => a + b));
    });

  it('each kind of score is what its name says', async () => {
    for (const head of [cases['a softmax']!, cases['the mean of three softmaxes']!, cases.sigmoids!]) {
      const classifier = readClassifier(fileOf(head.head));
      const p = await run(fileOf(head.head));
      const of = async (score: ScoreKind) => (await forward(classifier, score)).scores!;
      close(await of('output'), p, 1e-6);
      close(await of('probability'), p, 1e-6);
      close(await of('softmax'), p, 1e-6);
      close(await of('log-probability'), p.map(Math.log));
      close(await of('log-softmax'), p.map(Math.log));
      close(
        await of('log-odds'),
        p.map((v) => Math.log(v / (1 - v))),
      );
      const { logits } = await forward(classifier);
      close(
        await of('rest'),
        p.map((v, i) => logits![i]! + Math.log(v)),
      );
    }
  });

  it('log-odds stay exact where a softmax is saturated', async () => {
    const bytes = fileOf((b) => softmaxOf(b, b.scores(4, 20)));
    const z = await run(fileOf((b) => b.scores(4, 20)));
    const exact = [0, 1, 2].flatMap((n) => {
      const own = z.slice(4 * n, 4 * n + 4);
      return own.map(
        (v, c) => v - Math.log(own.reduce((sum, w, k) => (k === c ? sum : sum + Math.exp(w)), 0)),
      );
    });
    expect(Math.max(...exact)).toBeGreaterThan(17); // where 1 - p is 0 in float32
    close((await forward(readClassifier(bytes), 'log-odds')).scores!, exact, 1e-6);
  });

  it('a plain number has no probability to ask for', () => {
    const classifier = readClassifier(fileOf(cases['a number']!.head));
    for (const score of ['probability', 'log-probability', 'log-odds', 'rest'] as const)
      expect(() => forwardModel(classifier, score)).toThrow(
        /plain number, not a probability; use score logit or output/,
      );
  });
});

describe('gradients of scores, against central differences of the file itself', () => {
  const numeric = async (bytes: Uint8Array, f: (output: readonly number[]) => number) => {
    const step = 5e-3;
    const image = row(headImages, 0);
    const moved = [1, -1].flatMap((sign) =>
      Array.from(image.data, (_, i) => image.data.map((v, k) => v + (k === i ? sign * step : 0))),
    );
    const batch = float32(
      [moved.length, ...image.shape.slice(1)],
      Float32Array.from(moved.flatMap((data) => Array.from(data))),
    );
    const output = await run(bytes, batch);
    const classes = output.length / moved.length;
    const values = moved.map((_, n) => f(output.slice(n * classes, (n + 1) * classes)));
    return Array.from(image.data, (_, i) => (values[i]! - values[i + image.data.length]!) / (2 * step));
  };
  const gradient = async (
    bytes: Uint8Array,
    target: number,
    score: ScoreKind | undefined,
    options?: ClassifierOptions,
  ) => {
    const spec = { method: 'saliency', parameters: { abs: false }, score };
    const explainer = await createExplainer(readClassifier(bytes, options), spec, cpu);
    const { attribution } = await explainer.attribute(row(headImages, 0), [target]);
    await explainer.close();
    return Array.from(attribution.data);
  };
  const logit = (p: number) => Math.log(p / (1 - p));

  it.each([
    ['a softmax by hand, cut off and permuted', 'log-odds', 1, (y: readonly number[]) => logit(y[1]!)],
    ['a softmax in percent', 'output', 2, (y: readonly number[]) => y[2]!],
    ['a softmax in percent', 'log-odds', 2, (y: readonly number[]) => logit(y[2]! / 100)],
    ['sigmoids', undefined, 3, (y: readonly number[]) => logit(y[3]!)],
    ['a sigmoid and what is left of it', undefined, 0, (y: readonly number[]) => logit(y[0]!)],
    ['the mean of three softmaxes', undefined, 1, (y: readonly number[]) => logit(y[1]!)],
    ['the mean of two sigmoids', 'probability', 1, (y: readonly number[]) => y[1]!],
    ['ordinal probabilities', undefined, 2, (y: readonly number[]) => logit(y[2]!)],
    ['a number that a sigmoid bounds, by its range', undefined, 0, (y: readonly number[]) => y[0]!],
    ['a log-softmax', 'log-probability', 0, (y: readonly number[]) => y[0]!],
    ['a hard sigmoid', 'output', 1, (y: readonly number[]) => y[1]!],
  ] as const)('%s, %s of class %i', async (title, score, target, f) => {
    const bytes = fileOf(cases[title]!.head);
    const [found, expected] = [await gradient(bytes, target, score), await numeric(bytes, f)];
    const scale = Math.max(...expected.map(Math.abs));
    expect(scale).toBeGreaterThan(0);
    for (const [i, v] of found.entries()) expect(Math.abs(v - expected[i]!) / scale).toBeLessThan(5e-3);
  });

  it('a softmax of two and a sigmoid of the difference have one map under log-odds', async () => {
    const two = fileOf((b) => softmaxOf(b, b.scores(2)));
    const one = fileOf((b) => {
      const z = b.scores(2);
      return b.of('Sigmoid', [b.of('Sub', [column(b, z, 1), column(b, z, 0)])]);
    });
    const map = async (bytes: Uint8Array, target: number, score?: ScoreKind) => {
      const explainer = await createExplainer(readClassifier(bytes), { method: 'grad-cam', score }, cpu);
      const { attribution } = await explainer.attribute(headImages, [target, target, target]);
      await explainer.close();
      return Array.from(attribution.data);
    };
    const [a, b, c] = [await map(two, 1, 'log-odds'), await map(one, 0, 'log-odds'), await map(two, 1)];
    for (const [i, v] of a.entries()) expect(Math.abs(v - b[i]!)).toBeLessThan(1e-5);
    expect(Math.max(...a.map((v, i) => Math.abs(v - c[i]!)))).toBeGreaterThan(0.1); // the logit's has an arbitrary part
  });
});
