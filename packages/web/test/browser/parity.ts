import { join } from 'node:path';
import { createExplainer, type ExplainerSpec, graphFileOf, type Runtime, type Tensor } from '@whylight/core';
import { preprocess, type Raster } from '@whylight/core/image';
import { classifierOf, normalisationBy, prepare } from '@whylight/core/preparation';
import { createRuntime, modelAt } from '@whylight/host';
import * as ort from 'onnxruntime-node';
import { repository } from './site.ts';
import type { Tab } from './tab.ts';

/** The networks that come along, as paths below `models`. */
export const networks = ['shapes/shapes', 'efficientnet-lite0/efficientnet-lite0'] as const;
export type NetworkName = (typeof networks)[number];

/** Of every kind of method some, with as few samples as show the same arithmetic. */
export const questions: readonly {
  readonly method: string;
  readonly parameters?: Record<string, unknown>;
}[] = [
  ...[
    'grad-cam',
    'grad-cam-plus-plus',
    'layer-cam',
    'hi-res-cam',
    'x-grad-cam',
    'eigen-cam',
    'full-grad',
  ].map((method) => ({ method })),
  ...['saliency', 'input-x-gradient', 'guided-backprop', 'deconvolution', 'guided-grad-cam', 'lrp'].map(
    (method) => ({ method }),
  ),
  { method: 'deep-lift' },
  { method: 'integrated-gradients', parameters: { n_steps: 8 } },
  { method: 'smooth-grad', parameters: { nt_samples: 4 } },
  { method: 'gradient-shap', parameters: { n_samples: 4 } },
  { method: 'occlusion', parameters: { sliding_window_shapes: [3, 64, 64], strides: [3, 64, 64] } },
  { method: 'rise', parameters: { n_masks: 32 } },
];

/** How far attributions lie from each other: the largest difference as a share of the largest magnitude. */
export function difference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length || one.length === 0)
    throw new Error(`${one.length} values and ${other.length}`);
  let [largest, apart] = [0, 0];
  for (let i = 0; i < other.length; i++) {
    largest = Math.max(largest, Math.abs(other[i]!));
    apart = Math.max(apart, Math.abs(one[i]! - other[i]!));
  }
  return largest === 0 ? apart : apart / largest;
}

export interface Compared {
  readonly network: NetworkName;
  readonly method: string;
  /** Of the tab and Node, from the same pixels. */
  readonly apart: number;
  /** Of Node and Node with another order of its sums: what float32 itself leaves open on this network. */
  readonly own: number;
  /** Whether both explain the same class at the same layers, in the same shape. */
  readonly same: boolean;
}

/** Explains one photo in the tab and on Node by every method, from the pixels that the tab has decoded. */
export async function* compare(tab: Tab, network: NetworkName, backend: 'wasm' | 'webgpu' = 'wasm') {
  const raster = await openIn(tab, network, backend);
  const [node, plain] = [await createRuntime({ ep: 'cpu' }), withoutFusion];
  const registered = await modelAt(join(repository, 'models', `${network}.onnx`), undefined);
  const classifier = await classifierOf(registered);
  const { preprocessing } = prepare(registered, classifier);
  const { input } = preprocess(raster, preprocessing);
  const onNode = async ({ method, parameters }: (typeof questions)[number], runtime: Runtime) => {
    const layers = registered.manifest.cam_tensor ? [registered.manifest.cam_tensor] : [];
    const spec: ExplainerSpec = { method, parameters, normalisation: normalisationBy(preprocessing) };
    const explainer = await createExplainer(classifier, { ...spec, layers }, runtime).catch(() =>
      createExplainer(classifier, spec, runtime),
    );
    const { attribution, targets } = await explainer.attribute(input, [-1]);
    await explainer.close();
    return { data: attribution.data, says: [targets[0], explainer.layers, attribution.shape] };
  };
  for (const question of questions) {
    const [here, other] = [await onNode(question, node), await onNode(question, plain)];
    const there = await inTab(tab, question);
    yield {
      ...{ network, method: question.method },
      apart: difference(there.data, here.data),
      own: difference(other.data, here.data),
      same: JSON.stringify(there.says) === JSON.stringify(here.says),
    } satisfies Compared;
  }
}

/** ONNX Runtime on Node that changes no graph: it adds up in another order than one that fuses operators. */
const withoutFusion: Runtime = {
  device: 'cpu',
  async load(model) {
    const { bytes, weights } = graphFileOf(model);
    const session = await ort.InferenceSession.create(bytes, {
      externalData: Array.from(weights, ([path, data]) => ({ path, data })),
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 3,
    });
    return {
      async run(feeds) {
        const given = Object.entries(feeds).map(([name, { dtype, data, shape }]) => [
          name,
          new ort.Tensor(dtype as 'float32', data as Float32Array, shape),
        ]);
        const fetched = await session.run(Object.fromEntries(given));
        return Object.fromEntries(
          Object.entries(fetched).map(([name, { type, dims, data }]) => [
            name,
            { dtype: type, shape: dims, data } as Tensor,
          ]),
        );
      },
      close: () => session.release(),
    };
  },
};

/** Opens the network in the tab. @returns the photo as the tab has decoded it */
export async function openIn(tab: Tab, network: NetworkName, backend: 'wasm' | 'webgpu'): Promise<Raster> {
  const { width, height, base64 } = await tab.page.evaluate(
    async ([path, wanted]) => {
      globalThis.explainer?.close();
      globalThis.explainer = await web.startExplainer({ backend: wanted });
      const url = `/files/models/${path}.onnx`;
      const folder = url.slice(0, url.lastIndexOf('/'));
      const beside = [
        url.replace('.onnx', '.json'),
        ...(path.startsWith('shapes') ? [] : [`${folder}/labels.csv`]),
      ];
      globalThis.model = await explainer.openModel({ url, beside });
      const image = document.querySelector('img')!;
      await image.decode();
      const { width, height, data } = await web.pixelsOf(image);
      let text = '';
      for (let at = 0; at < data.length; at += 8192)
        text += String.fromCharCode(...data.subarray(at, at + 8192));
      return { width, height, base64: btoa(text) };
    },
    [network, backend] as const,
  );
  return { width, height, channels: 4, data: new Uint8Array(Buffer.from(base64, 'base64')) };
}

async function inTab({ page }: Tab, question: (typeof questions)[number]) {
  const { base64, ...rest } = await page.evaluate(async (asked) => {
    const image = document.querySelector('img')!;
    const { attribution, target, layers, shape } = await explainer.explain({
      model,
      image,
      pictures: false,
      ...asked,
    });
    const bytes = new Uint8Array(attribution.buffer, attribution.byteOffset, attribution.byteLength);
    let text = '';
    for (let at = 0; at < bytes.length; at += 8192)
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return { says: [target.class_index, layers, shape], base64: btoa(text) };
  }, question);
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return { ...rest, data: new Float32Array(bytes.buffer) };
}
