import { ints } from '../onnx/graph.ts';
import { normalisation, type Operators, other, unary } from './operator.ts';
import { rowsBefore, rowsBeside, rowsWhere, withChannels } from './rows.ts';
import { alongAxisShape, batchNormalizationShape, layerNormalizationShape } from './shape/normalization.ts';
import {
  batchNormalizationVjp,
  groupNormalizationVjp,
  instanceNormalizationVjp,
  layerNorm2dVjp,
  layerNormalizationVjp,
  rmsNormalizationVjp,
} from './vjp/normalization.ts';
import { l2NormalizationVjp, logSoftmaxVjp, lrnVjp, softmaxVjp } from './vjp/scaling.ts';

export const normalization = {
  Softmax: normalisation({ map: 'keeps', shape: alongAxisShape, rows: rowsBeside(-1), vjp: [softmaxVjp] }),
  LogSoftmax: normalisation({
    map: 'keeps',
    shape: alongAxisShape,
    rows: rowsBeside(-1),
    vjp: [logSoftmaxVjp],
  }),
  Hardmax: normalisation({ map: 'keeps', shape: alongAxisShape, rows: rowsBeside(-1), vjp: null }),
  LayerNormalization: normalisation({
    map: 'keeps',
    rows: rowsBefore(-1),
    shape: layerNormalizationShape,
    vjp: layerNormalizationVjp,
  }),
  RMSNormalization: normalisation({
    since: 23,
    map: 'keeps',
    rows: rowsBefore(-1),
    shape: alongAxisShape,
    vjp: rmsNormalizationVjp,
  }),
  InstanceNormalization: normalisation({
    map: 'keeps',
    rows: withChannels(rowsWhere((axis) => axis === 0)),
    vjp: [instanceNormalizationVjp],
  }),
  // PyTorch users' name: it normalises the channels of each place of a map.
  LayerNorm2d: normalisation({
    since: null,
    map: 'keeps',
    rows: rowsWhere((axis) => axis !== 1),
    vjp: [layerNorm2dVjp],
  }),
  L2Normalization: normalisation({
    since: null,
    map: 'keeps',
    rows: rowsWhere((axis, node) => !ints(node, 'axes')!.includes(axis)),
    vjp: [l2NormalizationVjp],
  }),
  GroupNormalization: normalisation({
    since: 21,
    map: 'keeps',
    rows: rowsWhere((axis) => axis === 0),
    vjp: [groupNormalizationVjp],
  }),
  LRN: normalisation({ map: 'keeps', rows: rowsWhere((axis) => axis !== 1), vjp: [lrnVjp] }),
  LpNormalization: normalisation({ map: 'keeps', shape: alongAxisShape, rows: rowsBeside(-1), vjp: null }),
  MeanVarianceNormalization: normalisation({ map: 'keeps', rows: null, vjp: null }),
  // Its statistics are constants: a factor and a term per channel.
  BatchNormalization: unary({
    linear: 'jointly',
    rows: withChannels(rowsWhere(() => true)),
    shape: batchNormalizationShape,
    vjp: [batchNormalizationVjp],
  }),
  Dropout: other(), // gone when a model is read
} satisfies Operators;
