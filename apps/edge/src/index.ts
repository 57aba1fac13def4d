import { app } from './app.ts';
import { dispatch } from './dispatch.ts';
import type { Departure } from './domain/flight.ts';
import type { Bindings } from './env.ts';

export { Batch } from './durable-objects/batch.ts';
export { Courier } from './durable-objects/courier.ts';
export { Flight } from './durable-objects/flight/flight.ts';
export { Idempotency } from './durable-objects/idempotency.ts';
export { Janitor } from './durable-objects/janitor.ts';
export { Registration } from './durable-objects/registration.ts';
export { TenantMeter } from './durable-objects/tenant-meter.ts';

export default { fetch: app.fetch, queue: dispatch } satisfies ExportedHandler<Bindings, Departure>;
