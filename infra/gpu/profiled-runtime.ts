import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DType, graphFileOf, type Runtime, type Tensor } from '@whylight/core';
import * as ort from 'onnxruntime-node';
import type { ProfileEvent } from './profile.ts';

/** Creates a runtime whose sessions write their profiles into `folder` when they are closed. */
export function profiledRuntime(
  ep: 'cpu' | 'cuda',
  folder: string,
): Runtime & { profile(): Promise<ProfileEvent[]> } {
  let sessions = 0;
  return {
    device: ep,
    async load(model) {
      const { bytes, weights } = graphFileOf(model);
      const session = await ort.InferenceSession.create(bytes, {
        externalData: Array.from(weights, ([path, data]) => ({ path, data })),
        executionProviders: ep === 'cuda' ? [{ name: 'cuda', deviceId: 0 }, 'cpu'] : ['cpu'],
        logSeverityLevel: 3,
        enableProfiling: true,
        profileFilePrefix: join(folder, `session${sessions++}`),
      });
      return {
        async run(feeds) {
          const given = Object.entries(feeds).map(([name, t]) => [
            name,
            new ort.Tensor(t.dtype as 'float32', t.data as Float32Array, t.shape),
          ]);
          const results = await session.run(Object.fromEntries(given));
          const taken = Object.entries(results).map(([name, { type, dims, data }]) => [
            name,
            { dtype: type as DType, shape: dims, data } as Tensor,
          ]);
          return Object.fromEntries(taken);
        },
        async close() {
          session.endProfiling();
          await session.release();
        },
      };
    },
    async profile() {
      const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
      const events = await Promise.all(
        files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as ProfileEvent[]),
      );
      return events.flat();
    },
  };
}
