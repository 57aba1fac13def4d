import * as ort from 'onnxruntime-web';
import { graphFileOf } from '../graph-file.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DType, Tensor } from '../tensor.ts';

ort.env.wasm.numThreads = 1;

/** ONNX Runtime for browsers (WebAssembly), for tests that a graph also runs there. */
export const web: Runtime = {
  device: 'wasm',
  async load(model) {
    const { bytes, weights } = graphFileOf(model);
    const session = await ort.InferenceSession.create(bytes, {
      externalData: Array.from(weights, ([path, data]) => ({ path, data })),
      executionProviders: ['wasm'],
      logSeverityLevel: 3,
    });
    return {
      async run(feeds) {
        const given = Object.entries(feeds).map(([name, t]) => [
          name,
          new ort.Tensor(t.dtype as 'float32', t.data as Float32Array, t.shape),
        ]);
        const results = await session.run(Object.fromEntries(given));
        return Object.fromEntries(
          Object.entries(results).map(([name, t]) => [
            name,
            { dtype: t.type as DType, shape: t.dims, data: t.data } as Tensor,
          ]),
        );
      },
      close: () => session.release(),
    };
  },
};
