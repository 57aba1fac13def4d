import { int, text } from '../onnx/graph.ts';
import { moving, type Operators, other, view } from './operator.ts';
import { gatherPicks, padPicks, repeatPicks, slicePicks, splitPicks } from './picks.ts';
import { joinedRows, transposedRows } from './rows.ts';
import { mapped } from './shape/elementwise.ts';
import {
  concatShape,
  depthToSpaceShape,
  expandShape,
  flattenShape,
  padShape,
  reshapeShape,
  spaceToDepthShape,
  squeezeShape,
  tileShape,
  transposeShape,
  unsqueezeShape,
} from './shape/movement.ts';
import { gatherShape, sliceShape, splitShape } from './shape/slicing.ts';
import {
  concatVjp,
  depthToSpaceVjp,
  gatherVjp,
  padVjp,
  reshapeVjp,
  sliceVjp,
  splitVjp,
  tileVjp,
  transposeVjp,
} from './vjp/movement.ts';

export const movement = {
  Reshape: view({ shape: reshapeShape, vjp: [reshapeVjp] }),
  Flatten: view({ shape: flattenShape, vjp: [reshapeVjp] }),
  Squeeze: view({ shape: squeezeShape, vjp: [reshapeVjp] }),
  Unsqueeze: view({ shape: unsqueezeShape, vjp: [reshapeVjp] }),
  Identity: view({ elementwise: true, map: 'keeps', shape: mapped((v) => v), vjp: null }), // gone when a model is read
  Transpose: moving({ rows: transposedRows, shape: transposeShape, vjp: [transposeVjp] }),
  Concat: moving({
    data: Number.POSITIVE_INFINITY,
    map: 'keeps',
    rows: joinedRows,
    shape: concatShape,
    vjp: concatVjp,
  }),
  Split: moving({ map: 'keeps', picks: splitPicks, shape: splitShape, vjp: [splitVjp] }),
  Slice: moving({ map: 'keeps', picks: slicePicks, shape: sliceShape, vjp: [sliceVjp] }),
  Gather: moving({ map: 'keeps', picks: gatherPicks, shape: gatherShape, vjp: [gatherVjp] }),
  Expand: moving({ picks: repeatPicks, shape: expandShape, vjp: [({ dy }) => dy] }),
  Tile: moving({ picks: repeatPicks, shape: tileShape, vjp: [tileVjp] }),
  Pad: moving({
    since: (node) => (text(node, 'mode', 'constant') === 'wrap' ? 19 : 18),
    map: 'keeps',
    picks: padPicks,
    shape: padShape,
    vjp: [padVjp],
  }),
  DepthToSpace: moving({ map: 'keeps', shape: depthToSpaceShape, vjp: [depthToSpaceVjp] }),
  SpaceToDepth: moving({
    since: ({ attributes }) => ('mode' in attributes ? null : 18),
    map: 'keeps',
    shape: spaceToDepthShape,
    vjp: [
      ({ node, dy }) =>
        dy.emit('DepthToSpace', [], {
          blocksize: int(node, 'blocksize', 1),
          mode: text(node, 'mode', 'DCR'),
        }),
    ],
  }),
  CenterCropPad: other(),
  Compress: other(),
  ReverseSequence: other(),
} satisfies Operators;
