import { expect, it } from 'vitest';
import { add, relu, reshape } from '../onnx/emit.ts';
import { newGraph } from '../operators/new-graph.ts';
import { peakBytesPerRow } from './peak.ts';

const kilobyte = 256; // floats

it('counts values from where they are made to where they are needed last, and a view of one not again', () => {
  const g = newGraph(17);
  const x = g.input('x', 'float32', [-1, kilobyte]);
  const early = relu(g, x);
  const view = reshape(g, early, [-1, 16, 16]);
  const later = relu(g, relu(g, relu(g, view))); // never more than two of these at once, beside `early`
  relu(g, later); // asked for by nobody
  expect(peakBytesPerRow(g, [add(g, later, view)])).toBe(3 * 1024);
});

it('counts nothing that does not grow with the batch, and what grows beside something else', () => {
  const g = newGraph(17);
  const x = g.input('x', 'float32', [-1, kilobyte]);
  const still = relu(g, g.input('still', 'float32', [1, kilobyte]));
  expect(peakBytesPerRow(g, [g.emit('Concat', [still, x], { axis: 0 })])).toBe(1024);
});
