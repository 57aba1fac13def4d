import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { whylight } from './run.ts';

const bench = (...args: string[]) => whylight(tmpdir(), 'bench', '--model', 'shapes', '--runs', '1', ...args);

it('reports each method of each model with its ratios, as JSON', async () => {
  const asked = ['--method', 'grad-cam', '--method', 'occlusion', '--batch', '2', '--json'];
  const { code, stdout } = await bench(...asked);
  expect(code).toBe(0);
  const { device, rows } = JSON.parse(stdout) as { device: string; rows: Record<string, unknown>[] };
  expect(device).toBe('cpu');
  expect(rows.map(({ model, method, batch, runs }) => [model, method, batch, runs])).toEqual([
    ['shapes', 'grad-cam', 2, 1],
    ['shapes', 'occlusion', 2, 1],
  ]);
  const numbers = ['median_ms', 'forward_ms', 'ratio', 'median_cpu_ms', 'forward_cpu_ms', 'cpu_ratio'];
  const sessions = ['session_ms', 'model_session_ms', 'session_ratio', 'graphs'];
  for (const row of rows)
    for (const name of [...numbers, ...sessions]) expect(row[name], name).toBeGreaterThan(0);
});

it('measures the others when one does not work, says which, and ends with 2', async () => {
  const { code, stdout, stderr } = await bench('--method', 'le-grad,grad-cam', '--json');
  expect(code).toBe(2);
  expect(JSON.parse(stdout).rows).toMatchObject([
    { method: 'le-grad', error: { message: expect.stringContaining('no self-attention') } },
    { method: 'grad-cam', graphs: 1 },
  ]);
  expect(stderr).toContain('1 of 2 could not be measured');
});
