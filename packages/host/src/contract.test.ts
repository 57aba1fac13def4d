import {
  type TargetSpec as ContractTarget,
  colorMaps,
  conventions,
  scoreNames,
  tasks,
} from '@whylight/contract';
import { scoreKinds, type TargetSpec, tasks as tasksOfCore } from '@whylight/core';
import { colormapNames } from '@whylight/core/drawing';
import { conventions as conventionsOfCore, resolveQuestion } from '@whylight/core/methods';
import { expect, test } from 'vitest';

// The contract does not import the engine, so it lists again what clients may ask the engine for. This package imports both.

test.each([
  ['colour maps', colorMaps, colormapNames],
  ['scores', scoreNames, scoreKinds],
  ['conventions', conventions, conventionsOfCore],
  ['tasks', tasks, tasksOfCore],
])('the %s that clients may ask for are those of the engine', (_, ofContract, ofCore) => {
  expect([...ofContract]).toEqual([...ofCore]);
});

test('the engine takes every target of the contract', () => {
  const targets: ContractTarget[] = [
    'predicted',
    { class_index: 3 },
    { label: 'cat' },
    { terms: [{ class_index: 'predicted', weight: -1 }] },
  ];
  const asEngineTakesThem: readonly TargetSpec[] = targets;
  for (const target of asEngineTakesThem)
    expect(resolveQuestion({ method: 'grad-cam', target }).target).toBe(target);
});
