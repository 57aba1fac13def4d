import { describe, expect, it } from 'vitest';
import { createExplainer, type ExplainerSpec } from '../explainer.ts';
import { graphFileOf } from '../graph-file.ts';
import { readClassifier } from '../model/classifier.ts';
import type { ValueInfo } from '../onnx/graph.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { float32, sizeOf, type Tensor } from '../tensor.ts';
import { menagerie } from '../testing/menagerie.ts';
import { tinyImages } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { everySpec, networkFor } from '../testing/specs.ts';

/** A runtime that gives out every value of a graph, and holds each to the type that the graph states. */
function watching(checked: Set<string>): Runtime {
  return {
    device: 'cpu',
    async load(model) {
      const { graph } = readModel(graphFileOf(model).bytes);
      const types = [...graph.declared!.values()];
      const session = await cpu.load(writeModel({ ...graph, outputs: types.map(({ name }) => name) }, types));
      return {
        async run(feeds) {
          const found = await session.run(feeds);
          const sizes = new Map<string, number>();
          for (const type of types) {
            expect([type.name, typeOf(found[type.name]!, sizes, type)]).toEqual([type.name, type]);
            checked.add(type.name);
          }
          return found;
        },
        close: session.close,
      };
    },
  };
}

/** The type that a value has, with the symbols of the stated one where their sizes are what they were before. */
function typeOf({ dtype, shape }: Tensor, sizes: Map<string, number>, stated: ValueInfo): ValueInfo {
  const symbolic = shape.map((size, axis) => {
    const symbol = stated.shape[axis];
    if (typeof symbol !== 'string') return size;
    const [factor, name] = symbol.includes('*') ? symbol.split('*') : ['1', symbol];
    if (!sizes.has(name!)) sizes.set(name!, size / Number(factor));
    return sizes.get(name!)! * Number(factor) === size ? symbol : size;
  });
  return { ...stated, dtype, shape: symbolic };
}

async function watched(model: Uint8Array, spec: ExplainerSpec, images: Tensor<'float32'>): Promise<number> {
  const checked = new Set<string>();
  const explainer = await createExplainer(readClassifier(model), spec, watching(checked));
  await explainer.attribute(images, [0, 1]);
  await explainer.close();
  return checked.size;
}

describe('the types that a graph states are those that its values have', () => {
  it.each(everySpec.map((spec) => [`${spec.method} (${spec.convention})`, spec] as const))(
    '%s',
    async (_, spec) => {
      expect(await watched(networkFor(spec)(), spec, tinyImages())).toBeGreaterThan(5);
    },
  );

  it.each(menagerie().map((model, k) => [k, model] as const))(
    'gradients of network %i of the menagerie',
    async (_, model) => {
      const { inputShape } = readClassifier(model);
      const data = Float32Array.from({ length: 2 * sizeOf(inputShape) }, (_, i) => Math.sin(i * 1.7));
      expect(await watched(model, { method: 'saliency' }, float32([2, ...inputShape], data))).toBeGreaterThan(
        20,
      );
    },
  );
});
