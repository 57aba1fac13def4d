import gateway, { Computation as RealComputation } from '@whylight/edge';
import type { Bindings } from '../../src/env.ts';

/** The gateway as it is, with a queue that takes every message twice: queues deliver at least once. */
export * from '@whylight/edge';
export default gateway;

export class Computation extends RealComputation {
  constructor(context: DurableObjectState, bindings: Bindings) {
    const JOBS = {
      async send(...message: Parameters<Bindings['JOBS']['send']>) {
        await bindings.JOBS.send(...message);
        return bindings.JOBS.send(...message);
      },
    };
    super(context, { ...bindings, JOBS } as Bindings);
  }
}
