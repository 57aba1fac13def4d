import { type Operators, operator, product } from './operator.ts';
import { rowsWhere } from './rows.ts';
import { col2ImShape, convShape, convTransposeShape } from './shape/convolution.ts';
import { col2ImVjp, convTransposeVjp, convVjp, perChannelSum } from './vjp/convolution.ts';

const rows = rowsWhere((axis) => axis === 0);

export const convolution = {
  // Weights are parameters: they have no derivative.
  Conv: product({
    map: 'makes',
    window: 'zero',
    rows,
    shape: convShape,
    vjp: [convVjp, undefined, perChannelSum],
  }),
  ConvTranspose: product({
    map: 'makes',
    rows,
    shape: convTransposeShape,
    vjp: [convTransposeVjp, undefined, perChannelSum],
  }),
  Col2Im: operator({ linear: 'jointly', rows, shape: col2ImShape, vjp: [col2ImVjp] }),
} satisfies Operators;
