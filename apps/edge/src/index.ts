import { app } from './app.ts';
import { dispatch } from './dispatch.ts';
import type { Bindings } from './env.ts';
import type { Departure } from './flight.ts';

export { Batch } from './batch.ts';
export { Courier } from './courier.ts';
export { Flight } from './flight.ts';
export { Idempotency } from './idempotency.ts';
export { Janitor } from './janitor.ts';
export { Registration } from './registration.ts';
export { TenantMeter } from './tenant-meter.ts';

export default { fetch: app.fetch, queue: dispatch } satisfies ExportedHandler<Bindings, Departure>;
