import gateway from '@whylight/edge';

/** The gateway under the class names that its Durable Objects had in releases before, under which they were stored. */
export {
  Batch,
  Computation as Flight,
  Idempotency,
  ModelValidation as Registration,
  TenantCleanup as Janitor,
  TenantMeter,
  UnresolvedExplanation,
  WebhookDeliveries as Courier,
  WorkerRegistry,
} from '@whylight/edge';
export default gateway;
