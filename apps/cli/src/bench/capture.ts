import type { GraphFile, Runtime } from '@whylight/core';

/** A runtime that remembers each graph that is loaded into it. */
export function captureGraphs(runtime: Runtime): {
  runtime: Runtime;
  graphs: readonly (Uint8Array | GraphFile)[];
} {
  const graphs: (Uint8Array | GraphFile)[] = [];
  return {
    graphs,
    runtime: {
      ...runtime,
      load(model) {
        graphs.push(model);
        return runtime.load(model);
      },
    },
  };
}
