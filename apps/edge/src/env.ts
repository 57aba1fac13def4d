import { storeStyleSchema } from '@whylight/contract/store';
import { z } from 'zod';
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
import { Refusal } from './domain/refusal.ts';
import type { AttemptMessage } from './domain/run.ts';

type NamespaceOf<Port> = DurableObjectNamespace<Port & Rpc.DurableObjectBranded>;

/** Bindings of wrangler.jsonc, and the variables and secrets as they arrive: strings, unchecked. */
export interface Bindings extends Record<keyof z.input<typeof settingsSchema>, string> {
  readonly DB: D1Database;
  readonly COMPUTATION: NamespaceOf<ComputationPort>;
  readonly IDEMPOTENCY: NamespaceOf<IdempotencyPort>;
  readonly UNRESOLVED_EXPLANATION: NamespaceOf<UnresolvedExplanationPort>;
  readonly MODEL_VALIDATION: NamespaceOf<ModelValidationPort>;
  readonly METER: NamespaceOf<MeterPort>;
  readonly BATCH: NamespaceOf<BatchPort>;
  readonly WEBHOOK_DELIVERIES: NamespaceOf<WebhookDeliveriesPort>;
  readonly TENANT_CLEANUP: NamespaceOf<TenantCleanupPort>;
  readonly WORKER_REGISTRY: NamespaceOf<WorkerRegistryPort>;
  /** Counts invalid API keys by the address that sends them; approximate, and per Cloudflare location. */
  readonly BAD_KEYS: RateLimit;
  readonly JOBS: Queue<AttemptMessage>;
  readonly ASSETS: Fetcher;
}

/** The origins in a list that commas or spaces separate. */
export const originsOf = (list: string): string[] => list.split(/[\s,]+/).filter((origin) => origin !== '');

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const url = z.url({ protocol: /^https?$/ });
/** At least seven: webhooks are retried for three days, and must find the explanation that they name. */
const days = z.coerce.number().int().min(7).max(36_500);
/** A setting that may be absent or empty. */
const optional = <Output extends string>(schema: z.ZodType<Output, string>) =>
  z
    .literal('')
    .transform(() => undefined)
    .or(schema)
    .optional();
const settingsSchema = z.object({
  /** URL at which the gateway reaches the object store, without the bucket. */
  S3_ENDPOINT: url,
  /** URL at which clients reach the store, if it is another. */
  S3_PUBLIC_ENDPOINT: url.optional(),
  /** Region and style of the store's URLs. Default: they follow from the endpoint's host. */
  S3_REGION: optional(z.string().min(1)),
  S3_STYLE: optional(storeStyleSchema),
  S3_BUCKET: z.string().min(1),
  S3_ACCESS_KEY_ID: z.string().min(1),
  S3_SECRET_ACCESS_KEY: z.string().min(1),
  WORKER_URL: url,
  /** Signs calls in both directions. */
  WORKER_SECRET: z.string().min(32),
  /** Another secret with which workers may sign, while one replaces the other. */
  WORKER_SECRET_PREVIOUS: z.string().min(32).optional(),
  /** URL at which the worker reaches this gateway. */
  PUBLIC_URL: url,
  /** Origins whose pages may call the API from a browser. */
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform(originsOf)
    .pipe(
      z.array(z.string().refine(isOrigin, 'Expected origins such as https://app.example, without a path')),
    ),
  /** Work of all tenants that may wait for a worker or have one; beyond that, requests get 503. */
  BACKLOG_LIMIT: z.coerce.number().int().min(0).default(1000),
  /** `off`: the gateway does not log requests. */
  REQUEST_LOG: z.enum(['on', 'off']).default('on'),
  /** Limits of a tenant: bytes of one model, number of models, and bytes of all models. */
  MODEL_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(512 * 2 ** 20),
  TENANT_MODELS: z.coerce.number().int().min(0).default(50),
  TENANT_MODEL_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(4 * 2 ** 30),
  /** Days for which an explanation can be read after its result has expired, and a batch after its creation. */
  EXPLANATION_DAYS: days.default(90),
  /** Days for which the audit trail is kept. */
  AUDIT_DAYS: days.default(365),
  OPERATOR_KEY_SHA256: sha256,
  /** Hash of the key with which the scaler reads the backlog and Prometheus the metrics, and which allows nothing else. */
  BACKLOG_KEY_SHA256: sha256.optional(),
  /** The key from which webhook secrets are derived; without it the service has no webhooks. */
  WEBHOOK_SECRET: z.string().min(32).optional(),
  /** For development: allows webhooks to this machine, over http too. */
  WEBHOOKS_ALLOW_LOOPBACK: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  /** The resolver for the hosts of webhook endpoints. */
  DNS_OVER_HTTPS_URL: url.default('https://cloudflare-dns.com/dns-query'),
});
export type Settings = z.output<typeof settingsSchema>;

/** The secrets with which a worker may have signed a call. */
export const workerSecrets = ({ WORKER_SECRET, WORKER_SECRET_PREVIOUS }: Settings): string[] =>
  WORKER_SECRET_PREVIOUS === undefined ? [WORKER_SECRET] : [WORKER_SECRET, WORKER_SECRET_PREVIOUS];

const parsed = new WeakMap<object, Settings>();

/**
 * The settings, checked once per isolate.
 *
 * @throws Refusal `not_configured`; the log says which settings are missing or wrong, the caller learns nothing.
 */
export function settings(bindings: Bindings): Settings {
  const known = parsed.get(bindings);
  if (known) return known;
  const result = settingsSchema.safeParse(bindings);
  if (!result.success) {
    const faults = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    console.error(`The gateway is not configured: ${faults.join('; ')}`);
    throw new Refusal('not_configured', 'This service is not configured yet.');
  }
  parsed.set(bindings, result.data);
  return result.data;
}
