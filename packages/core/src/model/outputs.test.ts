import { describe, expect, it } from 'vitest';
import { forwardModel } from '../programs/forward.ts';
import { type Body, headImages, headNetwork } from '../testing/heads.ts';
import { cpu } from '../testing/ort.ts';
import { readClassifier } from './classifier.ts';

const softmax = (b: Body, count = 4) => b.of('Softmax', [b.scores(count)], { axis: 1 });

describe('of several outputs the likeliest to score classes is explained', () => {
  it.each<[string, string, (b: Body) => readonly string[], { labels?: number; classes: number }]>([
    [
      'features first',
      'logits',
      (b) => [b.named('features', b.of('Relu', [b.scores(9)])), b.named('logits', b.scores(4))],
      { classes: 4 },
    ],
    [
      'an embedding without a telling name, and as many names as the other has columns',
      'b',
      (b) => [b.named('a', b.scores(9)), b.named('b', b.scores(4))],
      { labels: 4, classes: 4 },
    ],
    [
      'what ends in a softmax before what has no end',
      'gender',
      (b) => [b.named('age', b.scores(1)), b.named('gender', softmax(b, 2))],
      { classes: 2 },
    ],
    [
      'no integers',
      'probabilities',
      (b) => {
        const p = softmax(b);
        return [b.named('label', b.of('ArgMax', [p], { axis: 1, keepdims: 0 })), b.named('probabilities', p)];
      },
      { classes: 4 },
    ],
    [
      'no ranks',
      'scores',
      (b) => {
        const p = softmax(b);
        const [values, places] = b.g.emitAll('TopK', [p, b.g.ints([2])], { axis: 1 }, 2);
        return [b.named('values', values!), b.named('indices', places!), b.named('scores', p)];
      },
      { classes: 4 },
    ],
    [
      'no boxes, and no head that only helped training',
      'out',
      (b) => [
        b.named('bboxes', b.scores(4)),
        b.named('aux_logits', b.scores(3)),
        b.named('out', b.scores(3)),
      ],
      { classes: 3 },
    ],
    [
      'the first of equals',
      'one',
      (b) => [b.named('one', b.scores(3)), b.named('two', b.scores(3))],
      { classes: 3 },
    ],
  ])('%s: %s', (_, chosen, outputs, { labels, classes }) => {
    const classifier = readClassifier(headNetwork(outputs), { labels });
    expect(classifier.head.output).toBe(chosen);
    expect(classifier.classes).toBe(classes);
    const { code, message } = classifier.notes[0]!;
    expect(code).toBe('output_chosen');
    for (const other of classifier.head.others) expect(message).toContain(`"${other}"`);
    expect(classifier.head.others.length).toBeGreaterThan(0);
  });

  it('one that is asked for is taken, whatever it is', () => {
    const bytes = headNetwork((b) => [b.named('age', b.scores(1)), b.named('gender', softmax(b, 2))]);
    expect(readClassifier(bytes, { output: 'age' }).head).toMatchObject({
      kind: 'number',
      task: 'regression',
    });
  });

  it('where only ranks are given, the scores behind them are explained, and that is said', async () => {
    const bytes = headNetwork((b) => {
      const [values, places] = b.g.emitAll('TopK', [softmax(b), b.g.ints([2])], { axis: 1 }, 2);
      return [b.named('values', values!), b.named('places', places!)];
    });
    const classifier = readClassifier(bytes);
    expect([classifier.classes, classifier.head.kind]).toEqual([4, 'softmax']);
    expect(classifier.notes.map(({ code }) => code)).toContain('scores_behind_ranks');
    const session = await cpu.load(forwardModel(classifier));
    const [own, file] = [await session.run({ image: headImages }), await cpu.load(bytes)];
    const given = Object.values(await file.run({ image: headImages }))[0]!.data as Float32Array;
    const p = own.probabilities!.data as Float32Array;
    for (const n of [0, 1, 2])
      expect(Math.max(...p.subarray(4 * n, 4 * n + 4))).toBeCloseTo(given[2 * n]!, 6);
  });

  it('integers alone are refused by name', () => {
    const bytes = headNetwork((b) => [b.named('counts', b.of('Cast', [b.scores(3)], { to: 7 }))]);
    expect(() => readClassifier(bytes)).toThrow('output "counts" has type int64');
  });

  it('the metadata of a file says what logits are of', () => {
    const bytes = headNetwork((b) => [b.scores(4)], { problem_type: 'multi_label_classification' });
    expect(readClassifier(bytes).head).toMatchObject({ kind: 'sigmoid', task: 'multilabel' });
    expect(readClassifier(bytes, { task: 'multiclass' }).head.kind).toBe('softmax');
  });
});
