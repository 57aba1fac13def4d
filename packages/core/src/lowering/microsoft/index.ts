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
 * Rewrites operators of ONNX Runtime's own domain, which its optimisers write, in standard operators: later code sees
 * the network before its optimisation. Each must compute what ONNX Runtime's own kernel does.
 */
export const microsoft: Readonly<Record<MicrosoftOperator, Upgrade>> = {
  ...activations,
  ...attentions,
  ...normalizations,
  ...products,
  ...quantizedOperators,
  ...quantizedProducts,
  // ONNX adopted these operators later.
  'com.microsoft.GridSample': (g, node) => gridSample(g, { ...node, op: 'GridSample' }),
  'com.microsoft.Trilu': (_, node) => keep({ ...node, op: 'Trilu' }),
};
