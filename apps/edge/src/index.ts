import { app } from './app.ts';
import { dispatch } from './dispatch.ts';
import type { AttemptMessage } from './domain/run.ts';
import type { Bindings } from './env.ts';

export { Batch } from './durable-objects/batch.ts';
export { Computation } from './durable-objects/computation/computation.ts';
export { Idempotency } from './durable-objects/idempotency.ts';
export { ModelValidation } from './durable-objects/model-validation.ts';
export { TenantCleanup } from './durable-objects/tenant-cleanup.ts';
export { TenantMeter } from './durable-objects/tenant-meter.ts';
export { UnresolvedExplanation } from './durable-objects/unresolved-explanation.ts';
export { WebhookDeliveries } from './durable-objects/webhook-deliveries.ts';
export { WorkerRegistry } from './durable-objects/worker-registry.ts';

export default { fetch: app.fetch, queue: dispatch } satisfies ExportedHandler<Bindings, AttemptMessage>;
