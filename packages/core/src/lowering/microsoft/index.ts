import type { MicrosoftOperator } from '../../onnx/operator-names.ts';
import { gridSample } from '../grid-sample.ts';
import { keep, type Upgrade } from '../upgraded.ts';
import { activations } from './activation.ts';
import { attentions } from './attention.ts';
import { normalizations } from './normalization.ts';
import { products } from './products.ts';
import { quantizedOperators } from './quantized.ts';
import { quantizedProducts } from './quantized-products.ts';

/**
 * Operators of ONNX Runtime's own domain, which its optimisers write, in standard ones: everything behind this sees the
 * network that was optimised. Each is held to what ONNX Runtime's own kernel computes.
 */
export const microsoft: Readonly<Record<MicrosoftOperator, Upgrade>> = {
  ...activations,
  ...attentions,
  ...normalizations,
  ...products,
  ...quantizedOperators,
  ...quantizedProducts,
  // ONNX took these over later.
  'com.microsoft.GridSample': (g, node) => gridSample(g, { ...node, op: 'GridSample' }),
  'com.microsoft.Trilu': (_, node) => keep({ ...node, op: 'Trilu' }),
};
