import type {
  BatchPort,
  ComputationPort,
  IdempotencyPort,
  MeterPort,
  ModelValidationPort,
  TenantCleanupPort,
  UnresolvedExplanationPort,
  WebhookDeliveriesPort,
  WorkerRegistryPort,
} from './domain/ports.ts';
import { type Bindings, type Settings, settings } from './env.ts';
import { AuditTrail } from './storage/audit-trail.ts';
import { Backlog } from './storage/backlog.ts';
import { Catalogs } from './storage/catalogs.ts';
import { Explanations } from './storage/explanations.ts';
import { GpuWorker } from './storage/gpu-worker.ts';
import { Models } from './storage/models.ts';
import { ObjectNames } from './storage/object-names.ts';
import { Objects } from './storage/objects.ts';
import { ServiceMetrics } from './storage/service-metrics.ts';
import { StoreCheck } from './storage/store-check.ts';
import { Tenants } from './storage/tenants.ts';
import { Uploads } from './storage/uploads.ts';
import { WebhookEndpoints } from './storage/webhook-endpoints.ts';

/** Everything that use cases and routes call, created once per isolate. */
export interface Services {
  readonly settings: Settings;
  readonly db: D1Database;
  readonly tenants: Tenants;
  readonly uploads: Uploads;
  readonly explanations: Explanations;
  readonly backlog: Backlog;
  readonly serviceMetrics: ServiceMetrics;
  readonly audit: AuditTrail;
  readonly objects: Objects;
  readonly names: ObjectNames;
  readonly storeCheck: StoreCheck;
  readonly worker: GpuWorker;
  workerRegistry(): WorkerRegistryPort;
  readonly catalogs: Catalogs;
  readonly models: Models;
  modelValidation(model: string): ModelValidationPort;
  unresolvedExplanation(id: string): UnresolvedExplanationPort;
  computation(key: string): ComputationPort;
  meter(tenant: string): MeterPort;
  readonly webhooks: WebhookEndpoints;
  webhookDeliveries(endpoint: string): WebhookDeliveriesPort;
  tenantCleanup(tenant: string): TenantCleanupPort;
  batch(tenant: string, id: string): BatchPort;
  readonly badKeys: RateLimit;
  idempotency(scope: string): IdempotencyPort;
}

const wired = new WeakMap<Settings, Services>();

/** @throws Refusal `not_configured`. */
export function services(bindings: Bindings): Services {
  const checked = settings(bindings);
  let known = wired.get(checked);
  if (!known) {
    const {
      DB: db,
      COMPUTATION,
      IDEMPOTENCY,
      METER,
      BATCH,
      WEBHOOK_DELIVERIES,
      TENANT_CLEANUP,
      MODEL_VALIDATION,
      UNRESOLVED_EXPLANATION,
      WORKER_REGISTRY,
      BAD_KEYS,
    } = bindings;
    const workerRegistry = () => WORKER_REGISTRY.getByName('workers') as unknown as WorkerRegistryPort;
    const worker = new GpuWorker(checked, workerRegistry);
    const backlog = new Backlog(db);
    const names = new ObjectNames(checked);
    const objects = new Objects(checked);
    known = {
      settings: checked,
      db,
      tenants: new Tenants(db),
      uploads: new Uploads(db, names),
      audit: new AuditTrail(db),
      backlog,
      serviceMetrics: new ServiceMetrics(db, backlog),
      explanations: new Explanations(db),
      objects,
      names,
      storeCheck: new StoreCheck(db, objects, checked),
      worker,
      workerRegistry,
      catalogs: new Catalogs(db, worker, workerRegistry),
      webhooks: new WebhookEndpoints(db),
      models: new Models(db),
      modelValidation: (model) => MODEL_VALIDATION.getByName(model),
      unresolvedExplanation: (id) =>
        UNRESOLVED_EXPLANATION.getByName(id) as unknown as UnresolvedExplanationPort,
      meter: (tenant) => METER.getByName(tenant),
      webhookDeliveries: (endpoint) => WEBHOOK_DELIVERIES.getByName(endpoint),
      tenantCleanup: (tenant) => TENANT_CLEANUP.getByName(tenant),
      // The tenant is part of the name, so that no tenant finds another's batch.
      batch: (tenant, id) => BATCH.getByName(`${tenant}/${id}`) as unknown as BatchPort,
      badKeys: BAD_KEYS,
      idempotency: (scope) => IDEMPOTENCY.getByName(scope),
      computation: (key) => COMPUTATION.getByName(key) as unknown as ComputationPort,
    };
    wired.set(checked, known);
  }
  return known;
}
