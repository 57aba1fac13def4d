import { expect, test } from 'vitest';
import { createExplainer, float32, readClassifier } from '../index.ts';
import { newGraph } from '../operators/new-graph.ts';
import { cpu } from '../testing/ort.ts';
import type { OperatorName } from './operator-names.ts';
import { writeModel } from './write.ts';

/** A network whose own tensors have the names that explainers give to their inputs and outputs. */
function awkward(rename: (name: string) => string): Uint8Array {
  const g = newGraph(17);
  const x = g.input('x', 'float32', [-1, 1, 2, 2]);
  const weights = g.constant(float32([1, 1, 1, 1], [2]), rename('weights'));
  const node = (op: OperatorName, inputs: string[], output: string, attributes = {}) => {
    g.add({ op, name: op, inputs, outputs: [rename(output)], attributes });
    return rename(output);
  };
  const conv = node('Conv', [x, weights], 'image', { kernel_shape: [1, 1] });
  const rectified = node('Relu', [conv], 'class_index');
  const pooled = node('GlobalAveragePool', [rectified], 'score');
  const flat = node('Flatten', [pooled], 'attribution', { axis: 1 });
  const alphas = g.constant(float32([1, 3], [1, -1, 3]), rename('alphas'));
  const logits = node('MatMul', [flat, alphas], 'target');
  return writeModel(g.graph('awkward', [logits]), [{ name: logits, dtype: 'float32', shape: ['batch', 3] }]);
}

test.each(['grad-cam', 'saliency', 'integrated-gradients', 'occlusion'])(
  '%s of a model whose tensors are called as ours are',
  async (method) => {
    const x = float32([1, 1, 2, 2], [1, -2, 3, 0.5]);
    const parameters = method === 'occlusion' ? { sliding_window_shapes: [1, 1, 1], strides: [1, 1, 1] } : {};
    const explain = async (rename: (name: string) => string) => {
      const explainer = await createExplainer(readClassifier(awkward(rename)), { method, parameters }, cpu);
      const { attribution } = await explainer.attribute(x, [2]);
      await explainer.close();
      return Array.from(attribution.data);
    };
    expect(await explain((name) => name)).toEqual(await explain((name) => `plain_${name}`));
  },
);
