import type { PreprocessingReport } from '@whylight/contract';
import { expect, it } from 'vitest';
import { sourceLines } from './preprocessing-report.ts';

const from = <T>(from: string, value: T) => ({ value, from });

it('says of each part where it comes from, a line for each source', () => {
  const report: PreprocessingReport = {
    layout: from('file', 'NHWC'),
    channels: from('option', 'bgr'),
    size: from('graph', [112, 96]),
    fit: from('config.json', 'letterbox'),
    resize: from('graph', 'none'),
    crop: from('graph', null),
    pad_color: from('assumed', [114, 114, 114]),
    resample: from('preset', 'bicubic'),
    scale: from('graph', 1),
    mean: from('graph', [0]),
    std: from('metadata', [1, 2, 3]),
    labels: from('manifest', 2),
  };
  expect(sourceLines(report)).toEqual([
    'layout NHWC: from the model file',
    'channels bgr: from the command line',
    'size 112x96: from the graph, which takes this size',
    'fit letterbox: from config.json',
    'resize none: from the graph, which resizes the photo itself',
    'pad-color #727272: assumed',
    'resample bicubic: from the preset',
    'scale 1, mean 0: from the graph, whose first operators scale the pixels',
    'std 1,2,3: from the metadata in the model file',
    '2 labels: from the manifest',
  ]);
});
