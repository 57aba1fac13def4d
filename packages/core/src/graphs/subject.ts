import { composites } from '../autodiff/composites.ts';
import { differentiate } from '../autodiff/differentiate.ts';
import { gradientRules } from '../autodiff/gradient.ts';
import { transformerOf } from '../layers/attention.ts';
import type { Subject } from '../methods/method.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { foldFactors } from '../onnx/constant-factors.ts';
import { onesLike, where, zerosLike } from '../onnx/emit.ts';
import { reachable } from '../onnx/graph.ts';
import type { VjpRules } from '../operators/vjp/rule.ts';
import { classScore } from './class-score.ts';
import type { LookedAt } from './network.ts';

/** @param target the class of each row [rows], where `chosen` is one class each and no sum of classes */
export function subjectOf(network: LookedAt, chosen: Value, target?: Value): Subject {
  const { g, image, logits, layers, scored } = network;
  const nodes = reachable(g.nodes, [logits, ...layers]);
  const single = target !== undefined && scored === logits ? classScore(g, logits, target) : undefined;
  const seedsFor = (wanted: readonly Value[], rules: VjpRules): ReadonlyMap<Value, Value> =>
    single && rules === gradientRules && !wanted.some((value) => single.without.has(value))
      ? new Map([[single.score, onesLike(g, single.score)]])
      : new Map([[scored, chosen]]);
  return {
    g,
    rows: image,
    logits,
    scored,
    chosen,
    layers,
    nodes,
    transformer: () => transformerOf(network),
    gradients(wanted, { rules = gradientRules, seeds = seedsFor(wanted, rules) } = {}) {
      const start = g.nodes.length;
      const found = differentiate(g, seeds, wanted, rules, rules === gradientRules ? composites : {});
      foldFactors(
        g,
        start,
        found.filter((gradient) => gradient !== null),
      );
      return found.map((gradient, i) => gradient ?? zerosLike(g, wanted[i]!));
    },
  };
}

/** The class asked for, or the predicted one where -1 was. */
export const resolved = (g: GraphBuilder, asked: Value, logits: Value): Value =>
  where(
    g,
    g.emit('Less', [asked, g.constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(0n) })]),
    g.emit('ArgMax', [logits], { axis: 1, keepdims: 0 }),
    asked,
  );

export const oneHot = (g: GraphBuilder, target: Value, classes: number): Value =>
  g.emit('OneHot', [target, g.ints([classes]), g.floats([2], [0, 1])]);
