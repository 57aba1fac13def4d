import type { Validation } from '@whylight/contract';
import { expect, test } from 'vitest';
import { Examination } from './examination.ts';

const methods = ['grad-cam', 'saliency', 'rise', 'le-grad'];
const started: Validation = {
  outcome: 'ready',
  facts: {
    ...{ preprocessing: `sha256:${'e'.repeat(64)}`, classes: 3, input_shape: [3, 8, 8], deterministic: true },
    methods: { 'grad-cam': null, saliency: null, rise: null, 'le-grad': 'no attention' },
  },
  report: {
    ...{ opset: 17, producer: '', nodes: 1, inputs: [], outputs: ['y'], layout: 'NCHW', classes: 3 },
    ...{ input_shape: [3, 8, 8], layers: [], unsupported: [], notes: [] },
    methods: methods.map((id) =>
      id === 'le-grad'
        ? { id, works: false, reason: 'no attention' }
        : { id, works: null, reason: 'not run yet' },
    ),
  },
};

test('M6: what was found counts, though the process ends while a method runs', () => {
  const examination = new Examination();
  const ended = () => examination.soFar({ works: false, reason: 'it ended the process' }, 'time is over');
  expect(ended()).toBeUndefined();
  for (const said of [
    { started },
    { running: 'grad-cam' },
    { verdict: { id: 'grad-cam', works: true, reason: null, axioms: [] } },
    { running: 'saliency' },
  ])
    examination.hear(said);
  const found = ended();
  expect(found).toMatchObject({
    facts: {
      methods: { 'grad-cam': null, saliency: 'it ended the process', rise: null, 'le-grad': 'no attention' },
      not_run: { rise: 'time is over' },
    },
  });
  expect(found?.outcome === 'ready' && found.report.methods).toEqual([
    { id: 'grad-cam', works: true, reason: null },
    { id: 'saliency', works: false, reason: 'it ended the process' },
    { id: 'rise', works: null, reason: 'time is over' },
    { id: 'le-grad', works: false, reason: 'no attention' },
  ]);
});

test('a process that says something else is not heard, whatever it is', () => {
  const examination = new Examination();
  const wrong = [
    null,
    7,
    {},
    { started: {} },
    { started: { outcome: 'ready' } },
    { running: {} },
    { verdict: null },
  ];
  for (const said of wrong) examination.hear(said);
  expect(examination.soFar({ works: null, reason: '' }, '')).toBeUndefined();
  examination.hear({ started });
  // A method that the model's report does not have is not added to it.
  examination.hear({ verdict: { id: '__proto__', works: true, reason: null } });
  const found = examination.soFar({ works: null, reason: '' }, '');
  expect(found?.outcome === 'ready' && Object.keys(found.facts.methods)).toEqual(methods);
});
