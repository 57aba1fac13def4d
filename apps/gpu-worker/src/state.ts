import type { Catalog } from '@whylight/contract';
import type { ModelRegistry } from '@whylight/host';
import type { TenantModels } from './isolation/tenant-models.ts';
import type { JobQueue } from './jobs/job-queue.ts';

interface Working {
  readonly registry: ModelRegistry;
  readonly catalog: Catalog;
  readonly queue: JobQueue;
  readonly tenantModels: TenantModels;
}

/** The state of the worker. Only `ready` takes jobs. */
export type State =
  /** `reason`: what it waits for, other than its models. */
  | { readonly phase: 'starting'; readonly reason?: string }
  | ({ readonly phase: 'ready' | 'draining' } & Working)
  | { readonly phase: 'failed'; readonly reason: string };

/**
 * Body of GET /health. `busy`: every place is taken, more jobs wait. `fault`: why the gateway cannot use this worker; then it is
 * not ready.
 */
export function healthOf(state: State, fault: string | null): Record<string, unknown> {
  if (!('queue' in state)) {
    const { phase, reason } = state;
    return { status: phase, ...(reason !== undefined && { reason }) };
  }
  const { catalog, queue } = state;
  return {
    status: fault !== null ? 'not_ready' : state.phase === 'draining' || queue.full ? 'busy' : 'ready',
    ...(fault !== null && { fault }),
    draining: state.phase === 'draining',
    device: catalog.device,
    models: catalog.models.map(({ name }) => name),
    jobs: { running: queue.running, waiting: queue.waiting },
  };
}
