import {
  createExplainer,
  type ExplainerSpec,
  float32,
  int64,
  readClassifier,
  row,
  type Tensor,
} from '@whylight/core';
import { cpu, tinyImages, tinyNetwork } from '@whylight/core/testing';
import { describe, expect, it } from 'vitest';
import { agreement, disagreement } from './agreement.ts';
import { available, jsonOf } from './reference.ts';

/** Relative to the largest magnitude of the reference's values. */
const tolerance = { max: 1e-6 };

interface Recorded {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const here = available('goldens/tiny/golden.json');
// biome-ignore lint/suspicious/noExplicitAny: a JSON of many shapes
const golden: any = here ? jsonOf('goldens/tiny/golden.json') : {};
const classifier = readClassifier(tinyNetwork(), { inputShape: [2, 6, 6] });
const images = tinyImages();
const targets = [1, 2];

/** Both images, or one of them. */
async function explained(spec: ExplainerSpec, aux?: Record<string, Tensor>, only?: number) {
  const explainer = await createExplainer(classifier, { layers: [], ...spec }, cpu);
  const [batch, classes] = only === undefined ? [images, targets] : [row(images, only), [targets[only]!]];
  const result = await explainer.attribute(batch, classes, { aux });
  await explainer.close();
  return result;
}

function expectAgreement(actual: Tensor, expected: Recorded): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(disagreement(agreement(actual.data as Float32Array, expected.data), tolerance)).toBeNull();
}

const recorded = ({ shape, data }: Recorded) => float32(shape, data);

const permutationsOf = (items: readonly number[]): number[][] =>
  items.length < 2
    ? [[...items]]
    : items.flatMap((item) => permutationsOf(items.filter((i) => i !== item)).map((rest) => [item, ...rest]));

const skipped = here ? '' : ' (skipped: no reference vectors at hand)';

describe.skipIf(!here)(`K8: On the tiny network, to 1e-6 of the largest value${skipped}`, () => {
  const same = (name: string, spec: ExplainerSpec, expected: () => Recorded) =>
    it(`${name} agrees`, async () => {
      expectAgreement((await explained(spec)).attribution, expected());
    });

  it('the network itself is the reference network', async () => {
    expectAgreement(images, golden.net.input);
    expectAgreement((await explained({ method: 'saliency' })).logits, golden.net.logits);
  });

  const torchcam = (id: string, params = {}) =>
    ({ method: id, convention: 'torchcam', parameters: params }) as const;
  const pgc = (id: string, params = {}) =>
    ({ method: id, convention: 'pytorch-grad-cam', parameters: params }) as const;
  const captum = (id: string, params = {}) =>
    ({ method: id, convention: 'captum', parameters: params }) as const;

  same('torchcam GradCAM', torchcam('grad-cam'), () => golden.torchcam['GradCAM.norm']);
  same(
    'torchcam GradCAM, raw',
    torchcam('grad-cam', { normalized: false }),
    () => golden.torchcam['GradCAM.raw'],
  );
  same(
    'torchcam GradCAM at an earlier layer',
    { ...torchcam('grad-cam'), layers: ['r1'] },
    () => golden.torchcam['GradCAM.r1.norm'],
  );
  same(
    'torchcam GradCAM of two layers',
    { ...torchcam('grad-cam'), layers: ['r1', 'r2'] },
    () => golden.torchcam['GradCAM.fuse(r1,r2)'],
  );
  same('pytorch-grad-cam GradCAM', pgc('grad-cam'), () => golden.pgc.GradCAM);
  same(
    'pytorch-grad-cam GradCAM of two layers',
    { ...pgc('grad-cam'), layers: ['r1', 'r2'] },
    () => golden.pgc['GradCAM.mean(r1,r2)'],
  );
  for (const [library, id] of [
    ['GradCAMpp', 'grad-cam-plus-plus'],
    ['XGradCAM', 'x-grad-cam'],
    ['LayerCAM', 'layer-cam'],
    ['ScoreCAM', 'score-cam'],
    ['ISCAM', 'is-cam'],
  ] as const) {
    same(`torchcam ${library}`, torchcam(id), () => golden.torchcam[`${library}.norm`]);
    same(
      `torchcam ${library}, raw`,
      torchcam(id, { normalized: false }),
      () => golden.torchcam[`${library}.raw`],
    );
  }
  same(
    'torchcam LayerCAM of two layers',
    { ...torchcam('layer-cam'), layers: ['r1', 'r2'] },
    () => golden.torchcam['LayerCAM.fuse(r1,r2)'],
  );
  for (const [library, id] of Object.entries({
    GradCAMPlusPlus: 'grad-cam-plus-plus',
    HiResCAM: 'hi-res-cam',
    GradCAMElementWise: 'grad-cam-element-wise',
    XGradCAM: 'x-grad-cam',
    LayerCAM: 'layer-cam',
    FEM: 'fem',
    ShapleyCAM: 'shapley-cam',
    EigenCAM: 'eigen-cam',
    EigenGradCAM: 'eigen-grad-cam',
    KPCA_CAM: 'kpca-cam',
    FullGrad: 'full-grad',
    ScoreCAM: 'score-cam',
    AblationCAM: 'ablation-cam',
  }))
    same(`pytorch-grad-cam ${library}`, pgc(id), () => golden.pgc[library]);
  same('Captum LayerGradCam', captum('grad-cam'), () => golden.captum['LayerGradCam.r2']);
  same(
    'Captum LayerGradCam with ReLU',
    captum('grad-cam', { relu_attributions: true }),
    () => golden.captum['LayerGradCam.r2.relu'],
  );

  same('Captum Saliency', captum('saliency'), () => golden.captum['Saliency.abs']);
  same('Captum Saliency, signed', captum('saliency', { abs: false }), () => golden.captum['Saliency.signed']);

  same('torchcam CAM', torchcam('cam'), () => golden.torchcam['CAM.norm']);
  same('torchcam CAM, raw', torchcam('cam', { normalized: false }), () => golden.torchcam['CAM.raw']);

  same('Captum GuidedBackprop', captum('guided-backprop'), () => golden.captum.GuidedBackprop);
  same('Captum Deconvolution', captum('deconvolution'), () => golden.captum.Deconvolution);
  same('Captum GuidedGradCam', captum('guided-grad-cam'), () => golden.captum['GuidedGradCam.r2.nearest']);
  same(
    'Captum GuidedGradCam, bilinear',
    captum('guided-grad-cam', { interpolate_mode: 'bilinear' }),
    () => golden.captum['GuidedGradCam.r2.bilinear'],
  );
  same('Captum LayerActivation', captum('layer-activation'), () => golden.captum['LayerActivation.r2']);
  same(
    'Captum LayerGradientXActivation',
    captum('layer-gradient-x-activation'),
    () => golden.captum['LayerGradientXActivation.r2'],
  );
  same('Captum InputXGradient', captum('input-x-gradient'), () => golden.captum.InputXGradient);

  for (const quadrature of [
    'gausslegendre',
    'riemann_left',
    'riemann_right',
    'riemann_middle',
    'riemann_trapezoid',
  ])
    it(`Captum IntegratedGradients by ${quadrature} agrees, and so does its convergence delta`, async () => {
      const found = await explained(
        captum('integrated-gradients', { n_steps: 8, quadrature, baseline: 0.1 }),
      );
      const { attr, delta } = golden.captum[`IG.${quadrature}.n8.b0.1`];
      expectAgreement(found.attribution, attr);
      found.convergenceDelta!.forEach((d, n) => {
        const summed = (attr.data as number[])
          .slice(72 * n, 72 * (n + 1))
          .reduce((sum, v) => sum + Math.abs(v), 0);
        expect(Math.abs(d - delta.data[n]) / summed).toBeLessThan(1e-6); // what is left of a sum, relative to what was summed
      });
    });

  for (const [windows, strides, baseline] of [
    ['2,3,3', '2,2,2', 0],
    ['2,2,3', '1,2,3', 0.5],
    ['1,4,4', '1,3,3', 0],
  ] as const) {
    const id = `Occlusion.${windows.replaceAll(',', 'x')}.s${strides.replaceAll(',', 'x')}.b${baseline}`;
    same(
      `Captum ${id}`,
      captum('occlusion', { sliding_window_shapes: windows, strides, baseline }),
      () => golden.captum[id],
    );
  }

  for (const [library, id] of [
    ['SmoothGradCAMpp', 'smooth-grad-cam-plus-plus'],
    ['SSCAM', 'ss-cam'],
  ] as const)
    it(`torchcam ${library} agrees, its noise replayed`, async () => {
      const { out_raw, noise, kw } = golden.torchcam[`${library}.recorded`];
      for (const n of [0, 1]) {
        const { shape } = noise[0] as Recorded;
        const size = shape.slice(1).reduce((a, b) => a * b);
        const drawn = (noise as Recorded[]).flatMap(({ data }) =>
          data.slice(n * size, (n + 1) * size).map((v) => v / kw.std),
        );
        const aux = { noise: float32([noise.length, ...shape.slice(1)], drawn) };
        const found = await explained(torchcam(id, { ...kw, normalized: false }), aux, n);
        expectAgreement(found.attribution, {
          shape: [1, 3, 3],
          data: out_raw.data.slice(9 * n, 9 * (n + 1)),
        });
      }
    });

  const half = (of: Recorded, n: number): Recorded => {
    const size = of.data.length / 2;
    return { shape: [of.shape[0]! / 2, ...of.shape.slice(1)], data: of.data.slice(n * size, (n + 1) * size) };
  };
  for (const [id, library, base] of [
    ['smooth-grad', 'Saliency.smoothgrad', 'saliency'],
    ['smooth-grad-squared', 'Saliency.smoothgrad_sq', 'saliency'],
    ['var-grad', 'Saliency.vargrad', 'saliency'],
    ['smooth-grad', 'IG5.smoothgrad', 'integrated-gradients'],
  ] as const)
    it(`Captum NoiseTunnel ${library} agrees, its noise replayed`, async () => {
      const { attr, noise } = golden.captum[`NoiseTunnel.${library}`];
      for (const n of [0, 1]) {
        const drawn = half(noise, n);
        const spec = captum(id, { base, nt_samples: drawn.shape[0], n_steps: 5 });
        const { attribution } = await explained(spec, { noise: recorded(drawn) }, n);
        if (id !== 'var-grad') expectAgreement(attribution, half(attr, n));
        else {
          // what is left of mean squares, relative to the mean squares
          const squares = half(golden.captum['NoiseTunnel.Saliency.smoothgrad_sq'].attr, n).data;
          const scale = Math.max(...squares);
          const worst = Math.max(...half(attr, n).data.map((v, i) => Math.abs(v - attribution.data[i]!)));
          expect(worst / scale).toBeLessThan(1e-6);
        }
      }
    });
  it('Captum GradientShap agrees, its draws replayed', async () => {
    const { baselines, attr, rand_coeff, baseline_idx, noise } = golden.captum.GradientShap;
    for (const n of [0, 1]) {
      const aux = {
        baselines: recorded(baselines),
        noise: recorded(half(noise, n)),
        alphas: recorded(half(rand_coeff, n)),
        baseline_index: int64([4], half(baseline_idx, n).data),
      };
      const found = await explained(captum('gradient-shap', { n_samples: 4, stdevs: 1 }), aux, n);
      expectAgreement(found.attribution, half(attr, n));
    }
  });
  // It divides by differences of float32 values. Captum in float64 is 2.1e-6 away from these values of its float32, and
  // 1.0e-6 from Whylight's; the two are 1.1e-6 apart.
  it('Captum DeepLift agrees, to 2e-6: closer than Captum is to itself in float64', async () => {
    const { attribution } = await explained(captum('deep-lift', { baseline: 0.05 }));
    const { data } = golden.captum['DeepLift.b0.05'].attr as Recorded;
    expect(disagreement(agreement(attribution.data, data), { max: 2e-6 })).toBeNull();
  });
  it('Captum DeepLiftShap agrees', async () => {
    const { baselines, attr } = golden.captum.DeepLiftShap;
    expectAgreement(
      (await explained(captum('deep-lift-shap'), { baselines: recorded(baselines) })).attribution,
      attr,
    );
  });
  same(
    'Captum LayerConductance',
    captum('layer-conductance', { n_steps: 8 }),
    () => golden.captum['LayerConductance.r2.n8'],
  );
  same(
    'Captum InternalInfluence',
    captum('internal-influence', { n_steps: 8 }),
    () => golden.captum['InternalInfluence.r2.n8'],
  );
  same(
    'Captum LayerIntegratedGradients',
    captum('layer-integrated-gradients', { n_steps: 8 }),
    () => golden.captum['LayerIntegratedGradients.r2.n8'],
  );
  same('Captum LRP', captum('lrp'), () => golden.captum['LRP.eps1e-9'].attr);

  const recordedMask = () => recorded(golden.captum.feature_mask);
  it('Captum FeatureAblation agrees', async () => {
    const found = await explained(captum('feature-ablation'), { feature_mask: recordedMask() });
    expectAgreement(found.attribution, golden.captum['FeatureAblation.mask']);
  });
  it('Captum ShapleyValues agree: all orders of the features', async () => {
    const orders = permutationsOf([0, 1, 2, 3]);
    const permutations = int64([orders.length, 4], orders.flat());
    const found = await explained(captum('shapley-sampling'), { feature_mask: recordedMask(), permutations });
    expectAgreement(found.attribution, golden.captum['ShapleyValues.mask']);
  });

  it('an image alone gets what it gets in a batch', async () => {
    const explainer = await createExplainer(
      classifier,
      captum('integrated-gradients', { n_steps: 8, baseline: 0.1 }),
      cpu,
    );
    const alone = await explainer.attribute(row(images, 1), [2]);
    await explainer.close();
    const { attr } = golden.captum['IG.gausslegendre.n8.b0.1'];
    expectAgreement(alone.attribution, { shape: [1, 2, 6, 6], data: attr.data.slice(72) });
  });
});
