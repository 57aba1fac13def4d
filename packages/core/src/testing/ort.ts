import * as ort from 'onnxruntime-node';
import { graphFileOf } from '../graph-file.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DType, Tensor } from '../tensor.ts';

/** ONNX Runtime on the CPU with one thread, for tests of the engine alone. */
export const cpu: Runtime = {
  device: 'cpu',
  async load(model) {
    const { bytes, weights } = graphFileOf(model);
    const session = await ort.InferenceSession.create(bytes, {
      externalData: Array.from(weights, ([path, data]) => ({ path, data })),
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
      executionProviders: ['cpu'],
      extra: { session: { disable_quant_qdq: '1' } },
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
