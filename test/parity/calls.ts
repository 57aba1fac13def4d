import { type Attribution, type ExplainerSpec, float32, type Tensor } from '@whylight/core';
import type { Tolerance } from './agreement.ts';
import { formulaNoise } from './formula-noise.ts';
import type { Entry } from './manifest.ts';
import { npyOf } from './reference.ts';

/** One output of a recorded call, and the specification of the same call here. */
export interface Comparison {
  readonly role: string;
  readonly spec: ExplainerSpec;
  readonly tolerance: Tolerance;
  /** Recorded randomness to replay. */
  readonly aux?: (directory: string) => Readonly<Record<string, Tensor>>;
  /** Selects the part to compare with the stored array. Default: the attribution. */
  readonly of?: (found: Attribution) => Float32Array;
}

/** Tolerances by group, as in the README beside the vectors. */
const tolerances = {
  forwardOnly: { max: 1e-4 },
  lastLayer: { max: 1e-4 },
  earlyLayer: { max: 1e-3 },
  inputSizeMap: { max: 1e-3 },
  fullGrad: { max: 5e-3 },
  kernelShap: { max: 5e-3 },
  deepLift: { relL2: 6e-2, p999: 3e-2, pearson: 0.999 },
  squared: { relL2: 5e-3 },
  guided: { relL2: 1e-3, pearson: 0.99999 },
  gradient: { relL2: 5e-3, p999: 5e-3, pearson: 0.9999 },
} as const satisfies Record<string, Tolerance>;

const normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** torchcam: `raw`, `norm` and `fused` maps of one layer or several. */
function torchcam(method: string, entry: Entry, settings = {}): Comparison[] {
  const layers = entry.target_layers!;
  const of = (role: string, chosen: typeof layers, params = {}): Comparison => ({
    role,
    spec: {
      method,
      convention: 'torchcam',
      parameters: { ...settings, ...params },
      layers: chosen.map((l) => l.onnx_tensor),
    },
    tolerance: chosen.every(isLast) ? tolerances.lastLayer : tolerances.earlyLayer,
  });
  if (layers.length === 1) return [of('raw', layers, { normalized: false }), of('norm', layers)];
  return [
    of('fused', layers),
    ...layers.flatMap((layer) => [
      of(`raw.${layer.torch}`, [layer], { normalized: false }),
      of(`norm.${layer.torch}`, [layer]),
    ]),
  ];
}

const isLast = ({ torch }: { readonly torch: string }): boolean =>
  /^(layer4|features\.12|classifier)/.test(torch);

const pytorchGradCam = (method: string, entry: Entry): Comparison[] => [
  {
    role: 'map',
    spec: {
      method,
      convention: 'pytorch-grad-cam',
      layers: (entry.target_layers ?? []).map((l) => l.onnx_tensor),
    },
    tolerance: tolerances[method === 'full-grad' ? 'fullGrad' : 'inputSizeMap'],
  },
];

const captum = (
  method: string,
  params: Record<string, unknown>,
  tolerance: Tolerance,
  layers: readonly string[] = [],
): Comparison => ({
  role: 'attr',
  spec: { method, convention: 'captum', parameters: params, layers, normalisation },
  tolerance,
});

/** Captum's values per cell of a grid; recorded randomness is replayed. */
const groups = (
  method: string,
  { id, params, outputs }: Entry,
  tolerance: Tolerance,
  recorded?: string,
): Comparison => {
  const [, rows, columns] = /grid(\d+)x(\d+)/.exec(id)!.map(Number) as [number, number, number];
  const { n_samples } = params;
  return {
    role: 'groups',
    spec: {
      method,
      convention: 'captum',
      parameters: { grid: `${rows}x${columns}`, ...(n_samples ? { n_samples } : {}) },
    },
    tolerance,
    of: ({ attribution: { data, shape } }) => {
      const [height, width] = shape.slice(-2) as [number, number];
      const cell = (row: number, column: number) =>
        data[((row * height) / rows) * width + (column * width) / columns]!;
      return Float32Array.from({ length: rows * columns }, (_, i) =>
        cell(Math.floor(i / columns), i % columns),
      );
    },
    ...(recorded && {
      aux: (directory) => ({
        [recorded]: npyOf(`${directory}/${outputs.find((o) => o.role === recorded)!.file}`),
      }),
    }),
  };
};

const pick = ({ params }: Entry, ...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, params[name]]));

const tunnels = {
  smoothgrad: ['smooth-grad', tolerances.gradient],
  smoothgrad_sq: ['smooth-grad-squared', tolerances.squared],
  vargrad: ['var-grad', tolerances.squared],
} as const;

/** Baselines [2, 3, 224, 224]: zeros, and black in normalised space. */
function zeroAndBlack(): Tensor<'float32'> {
  const plane = 224 * 224;
  const values = new Float32Array(2 * 3 * plane);
  for (const [c, mean] of normalisation.mean.entries())
    values.fill(-mean / normalisation.std[c]!, (3 + c) * plane, (4 + c) * plane);
  return float32([2, 3, 224, 224], values);
}

const unitNoise = () => ({ noise: npyOf('goldens/real/inputs/unit_noise.npy') });

type Call = readonly [RegExp, (entry: Entry) => Comparison[]];

/** The recorded calls as they are made here; calls that are not listed have no method yet. */
const calls: readonly Call[] = [
  ...Object.entries({
    GradCAM: 'grad-cam',
    GradCAMpp: 'grad-cam-plus-plus',
    XGradCAM: 'x-grad-cam',
    LayerCAM: 'layer-cam',
    CAM: 'cam',
    ScoreCAM: 'score-cam',
  }).map(([name, method]): Call => [new RegExp(`^torchcam\\.${name}\\.`), (e) => torchcam(method, e)]),
  ...Object.entries({
    GradCAM: 'grad-cam',
    GradCAMPlusPlus: 'grad-cam-plus-plus',
    XGradCAM: 'x-grad-cam',
    LayerCAM: 'layer-cam',
    HiResCAM: 'hi-res-cam',
    GradCAMElementWise: 'grad-cam-element-wise',
    ShapleyCAM: 'shapley-cam',
    FEM: 'fem',
    EigenCAM: 'eigen-cam',
    EigenGradCAM: 'eigen-grad-cam',
    KPCA_CAM: 'kpca-cam',
    FinerCAM: 'finer-cam',
    RefineCAM: 'refine-cam',
    FullGrad: 'full-grad',
    ScoreCAM: 'score-cam',
    AblationCAM: 'ablation-cam',
  }).map(
    ([name, method]): Call => [
      new RegExp(`^pgc\\.${name}\\.(layer|features|mean|3|t)`),
      (e) => pytorchGradCam(method, e),
    ],
  ),
  [
    /^captum\.LayerGradCam\./,
    (e) => {
      const [layer] = e.target_layers!;
      const tolerance = isLast(layer!) ? tolerances.lastLayer : tolerances.earlyLayer;
      const signed = captum('grad-cam', {}, tolerance, [layer!.onnx_tensor]);
      return [
        signed,
        {
          ...captum('grad-cam', { relu_attributions: true }, tolerance, [layer!.onnx_tensor]),
          role: 'attr_relu',
        },
      ];
    },
  ],
  [
    /^captum\.Saliency\.(signed\.)?t/,
    (e) => [captum('saliency', { abs: e.params.abs }, tolerances.gradient)],
  ],
  [
    /^torchcam\.SmoothGradCAMpp\./,
    (e) =>
      torchcam('smooth-grad-cam-plus-plus', e, pick(e, 'num_samples', 'std')).map((c) => ({
        ...c,
        aux: unitNoise,
      })),
  ],
  [/^torchcam\.ISCAM\./, (e) => torchcam('is-cam', e, pick(e, 'num_samples'))],
  [
    /^torchcam\.SSCAM\./,
    (e) => {
      const { num_samples, std } = e.params as { num_samples: number; std: number };
      const channels = e.outputs.find((o) => o.role === 'weights')!.stored_shape[1]!;
      return torchcam('ss-cam', e, { num_samples, std }).map((c) => ({
        ...c,
        aux: () => ({ noise: formulaNoise(num_samples, channels) }),
      }));
    },
  ],
  [/^torchcam\.FinerCAM\./, (e) => torchcam('finer-cam', e).filter(({ role }) => role === 'raw')], // recorded `norm` is `raw` there
  [/^torchcam\.RefineCAM\./, (e) => [{ ...torchcam('refine-cam', e)[0]!, role: 'map' }]],
  [/^captum\.GuidedBackprop/, () => [captum('guided-backprop', {}, tolerances.guided)]],
  [/^captum\.Deconvolution/, () => [captum('deconvolution', {}, tolerances.guided)]],
  [
    /^captum\.GuidedGradCam/,
    (e) => [
      captum('guided-grad-cam', { interpolate_mode: e.params.interpolate_mode }, tolerances.guided, [
        e.target_layers![0]!.onnx_tensor,
      ]),
    ],
  ],
  [
    /^pgc\.GuidedBackprop/,
    () => [
      {
        role: 'hwc',
        spec: { method: 'guided-backprop', convention: 'pytorch-grad-cam' },
        tolerance: tolerances.guided,
      },
    ],
  ],
  [
    /^captum\.NoiseTunnel\./,
    ({ params: { nt_type, nt_samples, stdevs, n_steps, method } }) => {
      const [id, tolerance] = tunnels[nt_type as keyof typeof tunnels];
      const settings = { base: 'integrated-gradients', nt_samples, stdevs, n_steps, quadrature: method };
      return [{ ...captum(id, settings, tolerance), aux: unitNoise }];
    },
  ],
  [
    /^captum\.GradientShap/,
    (e) => {
      const of = (directory: string, role: string) =>
        npyOf(`${directory}/${e.outputs.find((o) => o.role === role)!.file}`);
      const aux = (directory: string) => ({
        ...unitNoise(),
        baselines: zeroAndBlack(),
        alphas: of(directory, 'alpha'),
        baseline_index: of(directory, 'baseline_index'),
      });
      return [{ ...captum('gradient-shap', pick(e, 'n_samples', 'stdevs'), tolerances.gradient), aux }];
    },
  ],
  [
    /^captum\.DeepLift\./,
    ({ params }) => [captum('deep-lift', { baseline: params.baselines }, tolerances.deepLift)],
  ],
  [
    /^captum\.DeepLiftShap/,
    () => [
      { ...captum('deep-lift-shap', {}, tolerances.deepLift), aux: () => ({ baselines: zeroAndBlack() }) },
    ],
  ],
  [/^captum\.LRP/, () => [captum('lrp', {}, tolerances.gradient)]],
  [/^captum\.FeatureAblation/, (e) => [groups('feature-ablation', e, tolerances.forwardOnly)]],
  [
    /^captum\.ShapleyValueSampling/,
    (e) => [groups('shapley-sampling', e, tolerances.forwardOnly, 'permutations')],
  ],
  [/^captum\.KernelShap/, (e) => [groups('kernel-shap', e, tolerances.kernelShap, 'samples')]],
  [/^captum\.Lime/, (e) => [groups('lime', e, tolerances.forwardOnly, 'samples')]],
  [/^captum\.InputXGradient/, () => [captum('input-x-gradient', {}, tolerances.gradient)]],
  [
    /^captum\.IG\./,
    ({ params: { n_steps, method, baselines } }) => [
      captum(
        'integrated-gradients',
        { n_steps, quadrature: method, baseline: baselines },
        tolerances.gradient,
      ),
    ],
  ],
  [
    /^captum\.Occlusion\./,
    ({ params: { sliding_window_shapes, strides, baselines } }) => [
      captum('occlusion', { sliding_window_shapes, strides, baseline: baselines }, tolerances.forwardOnly),
    ],
  ],
];

export const comparisonsOf = (entry: Entry): Comparison[] =>
  calls.find(([id]) => id.test(entry.id))?.[1](entry) ?? [];
