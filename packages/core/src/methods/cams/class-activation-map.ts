import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Expression } from '../../onnx/expression.ts';
import { int, type Node } from '../../onnx/graph.ts';
import { operators } from '../../operators/table.ts';
import { defineMethod, type Subject } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { weighted } from './gradient-cam.ts';

/**
 * CAM: a layer's feature maps, weighted with the classifier's own weights for the class.
 *
 *     map = ReLU(Σ_k W_c,k A_k)
 *
 * For networks that average a layer's maps and classify the averages with one linear layer (or a 1×1 convolution).
 * torchcam keeps negative values.
 *
 * @see Zhou et al., "Learning Deep Features for Discriminative Localization", 2016
 * @example createExplainer(classifier, { method: 'cam', layers: ['-1'] }, runtime)
 */
export const cam = defineMethod({
  id: 'cam',
  title: 'CAM',
  summary: "Feature maps weighted with the last linear layer's weights for the class.",
  paper: 'https://arxiv.org/abs/1512.04150',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  conventions: ['paper', 'torchcam'],
  deviations: {
    torchcam: 'Negative values are kept before the map is min-maxed.',
  },
  logitsOnly: true,
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain(subject, setting) {
    const { layers, chosen } = subject;
    const weights = classWeights(subject);
    const channels = weights.shape[1]!;
    const ofTarget = chosen.matmul(weights);
    const maps = layers.map((activation) => {
      if (activation.shape[1] !== channels)
        throw new InputError(
          'method_not_supported',
          `cam needs a layer with ${channels} channels, one for each weight of a class in the last linear layer; "${activation.name}" has ${activation.shape[1]}`,
        );
      return weighted(ofTarget.reshape([ofTarget.shape[0]!, channels, 1, 1]), activation);
    });
    return camOutput(maps, setting, { signed: setting.convention === 'torchcam' });
  },
});

/** Whether an operator's output rises with its input: an average, a bias, another shape or type, a ReLU. */
function keepsOrder({ op }: Node): boolean {
  const { linear, elementwise, movement, weights } = operators[op];
  const averages = linear === 'jointly' && !elementwise && movement === 'no' && weights === null;
  return averages || movement === 'view' || op === 'Relu' || op === 'Add' || op === 'Cast';
}

/** Finds the weights [classes, channels] of the last linear layer. */
function classWeights({ nodes, logits }: Subject): Expression {
  const { g } = logits;
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  let node = makers.get(logits.name);
  while (node && keepsOrder(node)) node = makers.get(node.inputs[0]!);
  const name = node?.inputs[1];
  if (node && name !== undefined && g.knows(name) && !g.dependsOnInputs(name)) {
    const weight = logits.of(name);
    const { shape } = weight;
    if (node.op === 'Gemm') return int(node, 'transB', 0) ? weight : weight.transpose([1, 0]);
    if (node.op === 'MatMul' && shape.length === 2) return weight.transpose([1, 0]);
    if (node.op === 'Conv' && shape.slice(2).every((k) => k === 1)) return weight.reshape(shape.slice(0, 2));
  }
  throw new InputError(
    'method_not_supported',
    'cam needs a network that ends in one linear layer or 1x1 convolution; use grad-cam',
  );
}
