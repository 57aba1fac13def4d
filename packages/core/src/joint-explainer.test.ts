import { describe, expect, it } from 'vitest';
import { createExplainer, type ExplainerSpec } from './explainer.ts';
import { graphFileOf } from './graph-file.ts';
import { createJointExplainer } from './joint-explainer.ts';
import { isSampled, methods } from './methods/index.ts';
import { readClassifier } from './model/classifier.ts';
import { readModel } from './onnx/read.ts';
import type { Runtime } from './runtime/runtime.ts';
import { tinyImages, tinyNetwork } from './testing/network.ts';
import { cpu } from './testing/ort.ts';

const classifier = readClassifier(tinyNetwork());
const images = tinyImages();

/** How often operators are in the graphs that explainers of these methods load. */
async function operators(...specs: [ExplainerSpec, ...ExplainerSpec[]]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const counting: Runtime = {
    ...cpu,
    load(model) {
      for (const { op } of readModel(graphFileOf(model).bytes).graph.nodes)
        counts[op] = (counts[op] ?? 0) + 1;
      return cpu.load(model);
    },
  };
  await (await createJointExplainer(classifier, specs, counting)).close();
  return counts;
}

const direct = methods
  .filter((method) => !isSampled(method) && !method.needs.includes('attention'))
  .map(({ id }) => ({ method: id }));

describe('several methods as one graph', () => {
  it('give what each of them gives alone', async () => {
    const specs = direct as [ExplainerSpec, ...ExplainerSpec[]];
    const joint = await createJointExplainer(classifier, specs, cpu);
    const found = await joint.attribute(images, [0, -1]);
    await joint.close();
    expect(found.length).toBe(specs.length);
    for (const [k, spec] of specs.entries()) {
      const alone = await createExplainer(classifier, spec, cpu);
      const expected = await alone.attribute(images, [0, -1]);
      await alone.close();
      expect(joint.methods[k]).toEqual(alone.method);
      expect(joint.layers[k]).toEqual(alone.layers);
      expect(found[k], spec.method).toEqual(expected);
    }
  });

  it('have the network and the backward pass once', async () => {
    const saliency = await operators({ method: 'saliency' });
    const both = await operators(
      { method: 'grad-cam' },
      { method: 'saliency' },
      { method: 'input-x-gradient' },
      { method: 'grad-cam', layers: ['-2'] },
    );
    expect(saliency.Conv).toBeGreaterThan(2);
    for (const op of ['Conv', 'Gemm', 'MaxPool', 'Greater', 'OneHot', 'ArgMax'])
      expect(both[op], op).toBe(saliency[op]);
  });

  it('have a backward pass each where its rules are their own', async () => {
    const { Conv: one } = await operators({ method: 'saliency' });
    const { Conv: two } = await operators({ method: 'saliency' }, { method: 'deconvolution' });
    expect(two).toBeGreaterThan(one!);
    expect(two).toBeLessThan(2 * one!);
  });

  it('are refused by name where they evaluate many images', async () => {
    const asked = createJointExplainer(classifier, [{ method: 'saliency' }, { method: 'occlusion' }], cpu);
    await expect(asked).rejects.toThrow(/^occlusion: evaluates many images/);
  });
});
