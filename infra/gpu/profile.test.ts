import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createExplainer, readClassifier } from '@whylight/core';
import { expect, it } from 'vitest';
import { tinyImages, tinyNetwork } from '../../packages/core/src/testing/network.ts';
import { elsewhere, type ProfileEvent } from './profile.ts';
import { profiledRuntime } from './profiled-runtime.ts';

const kernel = (node: string, op_name: string, provider: string, dur: number): ProfileEvent => ({
  cat: 'Node',
  name: `${node}_kernel_time`,
  dur,
  args: { op_name, provider },
});
const [cuda, cpu] = ['CUDAExecutionProvider', 'CPUExecutionProvider'];

it('tells what fell back to the CPU, and the copies, the longest first', () => {
  const profile = [
    { cat: 'Session', name: 'model_run', dur: 9000 },
    kernel('conv', 'Conv', cuda, 500),
    kernel('scatter', 'ScatterElements', cpu, 40),
    kernel('scatter', 'ScatterElements', cpu, 60),
    kernel('scatter2', 'ScatterElements', cpu, 100),
    kernel('shift', 'BitShift', cpu, 30),
    { ...kernel('conv', 'Conv', cuda, 7), name: 'conv_fence_before' },
    kernel('copy', 'MemcpyFromHost', cuda, 1000),
  ];
  expect(elsewhere(profile, cuda)).toEqual([
    { op: 'MemcpyFromHost', nodes: 1, milliseconds: 1 },
    { op: 'ScatterElements', nodes: 2, milliseconds: 0.2 },
    { op: 'BitShift', nodes: 1, milliseconds: 0.03 },
  ]);
});

it('reads the profile that ONNX Runtime writes, of every graph of a method', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-profile-'));
  try {
    const runtime = profiledRuntime('cpu', folder);
    const explainer = await createExplainer(readClassifier(tinyNetwork()), { method: 'score-cam' }, runtime);
    await explainer.attribute(tinyImages(), [0, 1]);
    await explainer.close();
    const profile = await runtime.profile();
    expect(elsewhere(profile, cpu)).toEqual([]);
    expect(elsewhere(profile, cuda).map(({ op }) => op)).toEqual(
      expect.arrayContaining(['Resize', 'Softmax']),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
