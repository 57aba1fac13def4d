import { readFileSync } from 'node:fs';
import { createExplainer, type ExplainerSpec, float32, readClassifier } from '@whylight/core';
import { cpu } from '@whylight/core/testing';
import { describe, expect, it } from 'vitest';
import { agreement, disagreement } from './agreement.ts';

// Small transformers as both of PyTorch's exporters write them, without the user naming a layer or saying how tokens
// lie on the image. The libraries were told both; see transformers/record.py.

interface Recorded {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Vectors {
  readonly images: Recorded;
  readonly classes: readonly number[];
  readonly scores: Recorded;
  readonly 'pytorch-grad-cam': Readonly<Record<string, Recorded>>;
  readonly torchcam: Readonly<Record<string, Recorded>>;
  readonly rollout?: Recorded;
}

const at = (name: string) => new URL(`transformers/${name}`, import.meta.url);
const vectors = JSON.parse(readFileSync(at('vectors.json'), 'utf8')) as Record<string, Vectors>;

/** PyTorch's own float32 is up to 3e-6 of a map's largest value from its float64 on these networks. */
const tolerance = { max: 5e-6 };

const methods = {
  'pytorch-grad-cam': {
    GradCAM: 'grad-cam',
    HiResCAM: 'hi-res-cam',
    GradCAMElementWise: 'grad-cam-element-wise',
    GradCAMPlusPlus: 'grad-cam-plus-plus',
    XGradCAM: 'x-grad-cam',
    LayerCAM: 'layer-cam',
    FEM: 'fem',
    KPCA_CAM: 'kpca-cam',
    ScoreCAM: 'score-cam',
    AblationCAM: 'ablation-cam',
    FinerCAM: 'finer-cam',
  },
  torchcam: {
    GradCAM: 'grad-cam',
    GradCAMpp: 'grad-cam-plus-plus',
    XGradCAM: 'x-grad-cam',
    LayerCAM: 'layer-cam',
    ScoreCAM: 'score-cam',
    ISCAM: 'is-cam',
  },
} as const;

/** The layer that `pytorch-grad-cam`'s convention finds: torchcam's own rule is another, its users name one. */
const found = new Map<string, readonly string[]>();

describe.each(
  Object.keys(vectors).flatMap((network) =>
    ['torchscript', 'dynamo'].map((exporter) => [network, exporter] as const),
  ),
)('On %s by the %s exporter', (network, exporter) => {
  const recorded = vectors[network]!;
  const classifier = readClassifier(readFileSync(at(`${network}.${exporter}.onnx`)), {
    inputShape: recorded.images.shape.slice(1),
  });
  const images = float32(recorded.images.shape, recorded.images.data);

  async function explained(spec: ExplainerSpec) {
    const explainer = await createExplainer(classifier, spec, cpu);
    const result = await explainer.attribute(images, recorded.classes);
    await explainer.close();
    return { ...result, layers: explainer.layers };
  }
  function expectAgreement(actual: { shape: readonly number[]; data: Float32Array }, expected: Recorded) {
    expect(actual.shape).toEqual(expected.shape);
    expect(disagreement(agreement(actual.data, expected.data), tolerance)).toBeNull();
  }

  it('the scores are PyTorch’s', async () => {
    expectAgreement((await explained({ method: 'grad-cam' })).logits, recorded.scores);
  });

  it.each(Object.entries(methods['pytorch-grad-cam']))(
    'pytorch-grad-cam %s agrees, its layer found',
    async (library, method) => {
      const { attribution, layers } = await explained({ method, convention: 'pytorch-grad-cam' });
      found.set(`${network}.${exporter}`, layers);
      expectAgreement(attribution, recorded['pytorch-grad-cam'][library]!);
    },
  );

  it.each(Object.entries(methods.torchcam))(
    'torchcam %s agrees, its layer named',
    async (library, method) => {
      const { attribution } = await explained({
        method,
        convention: 'torchcam',
        parameters: { normalized: false },
        layers: found.get(`${network}.${exporter}`),
      });
      expectAgreement(attribution, recorded.torchcam[library]!);
    },
  );

  it.runIf(recorded.torchcam.LeGrad)('torchcam LeGrad agrees, of all blocks and of the last', async () => {
    const all = await explained({ method: 'le-grad', convention: 'torchcam' });
    expectAgreement(all.attribution, recorded.torchcam.LeGrad!);
    const params = { blocks: 1, normalized: false };
    const last = await explained({ method: 'le-grad', convention: 'torchcam', parameters: params });
    expectAgreement(last.attribution, recorded.torchcam['LeGrad.last']!);
  });

  it.runIf(recorded.rollout)('attention rollout agrees with the formula written out in PyTorch', async () => {
    const { attribution } = await explained({
      method: 'attention-rollout',
      parameters: { normalized: false },
    });
    expectAgreement(attribution, recorded.rollout!);
  });
});
