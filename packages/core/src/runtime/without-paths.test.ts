import { describe, expect, test } from 'vitest';
import { withoutPaths } from './without-paths.ts';

describe('messages of ONNX Runtime', () => {
  test('lose source files, signatures and install paths', () => {
    const raw =
      '/onnxruntime_src/onnxruntime/core/graph/graph.cc:136 onnxruntime::Graph::Resolve(const onnxruntime::Opts&)::<lambda()> ok was false. Cannot find input w\n';
    expect(withoutPaths(raw)).not.toMatch(/graph\.cc|onnxruntime/);
    expect(withoutPaths(raw)).toContain('Cannot find input w');
    expect(withoutPaths('Failed to load /srv/x/node_modules/a/lib.so: no')).toBe('Failed to load : no');
  });

  test('keep the names of tensors, which look like paths', () => {
    const raw = 'Node (/layer4/layer4.1/conv2/Conv) Op (Conv) failed';
    expect(withoutPaths(raw)).toBe(raw);
  });
});
