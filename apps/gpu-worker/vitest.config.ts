import { defineConfig } from 'vitest/config';
import { maxWorkers } from '../../vitest.workers.ts';

export default defineConfig({
  test: {
    name: 'gpu-worker',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Some tests start several processes one after the other: a second each, and many on a busy machine.
    testTimeout: 180_000,
    // A worker ends only after its models' processes.
    hookTimeout: 60_000,
    // What a worker does by itself may take a while on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    isolate: false,
    maxWorkers,
  },
});
