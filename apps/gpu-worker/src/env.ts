import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { workerIdSchema } from '@whylight/contract';
import { storeStyleSchema } from '@whylight/contract/store';
import { z } from 'zod';

const count = (fallback: number, minimum = 1) => z.coerce.number().int().min(minimum).default(fallback);
const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .default('false')
  .transform((text) => text === 'true' || text === '1');

/** A setting that may be absent or empty. */
const optional = <Output extends string>(schema: z.ZodType<Output, string>) =>
  z
    .literal('')
    .transform(() => undefined)
    .or(schema)
    .optional();

/** `NAME=PATH` or `NAME=s3:PREFIX`, separated by commas or new lines. */
const models = z
  .string()
  .default('')
  .transform((text, context) => {
    const entries = text
      .split(/[,\n]/)
      .map((entry) => entry.trim())
      .filter(Boolean);
    return entries.map((entry) => {
      const [, name, path] = /^([^=]+)=(.+)$/.exec(entry) ?? [];
      if (name && path) return { name: name.trim(), path: path.trim() };
      context.addIssue({ code: 'custom', message: `expected NAME=PATH, got "${entry}"` });
      return z.NEVER;
    });
  });

/** The host, and a part that differs between processes of one host. */
const ownName = (): string =>
  `${
    hostname()
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 80) || 'worker'
  }-${randomBytes(4).toString('hex')}`;

const envSchema = z.object({
  PORT: count(8080, 0),
  HOST: z.string().default('127.0.0.1'),
  /** The name of this process in its claims and in logs. */
  WORKER_ID: workerIdSchema.default(ownName),
  /** The secret with which gateway and worker sign their calls. */
  WORKER_SECRET: z.string().min(16),
  /** Another secret with which the gateway may sign, while one replaces the other. */
  WORKER_SECRET_PREVIOUS: optional(z.string().min(16)),
  /** The gateway's address. Default: the first signed call of the gateway names it. */
  GATEWAY_URL: optional(z.url({ protocol: /^https?$/ })),
  S3_ENDPOINT: z.url(),
  /** Region and style of the store's URLs. Default: they follow from the endpoint's host, as in the gateway. */
  S3_REGION: optional(z.string()),
  S3_STYLE: optional(storeStyleSchema),
  S3_BUCKET: z.string().min(1),
  S3_ACCESS_KEY_ID: z.string().min(1),
  S3_SECRET_ACCESS_KEY: z.string().min(1),
  /** The older name of S3_STYLE=path. */
  S3_FORCE_PATH_STYLE: flag,
  /** Default: the networks that come with Whylight. The first is the gateway's default. */
  MODELS: models,
  /** Folder for models that MODELS names in the bucket, and megabytes that it may hold. */
  MODEL_CACHE: z.string().min(1).default(join(tmpdir(), 'whylight-models')),
  MODEL_CACHE_MB: count(4096),
  EXECUTION_PROVIDER: z.enum(['cpu', 'cuda', 'webgpu']).default('cpu'),
  /** Run on the CPU, and say so, if the provider is missing. */
  PROVIDER_FALLBACK: flag,
  /** Which GPU, for cuda. */
  DEVICE_ID: count(0, 0),
  /** Threads per operator; 0 leaves it to ONNX Runtime. */
  THREADS: count(0, 0),
  /** Memory that one explainer may hold while it computes, in bytes. */
  MEMORY: count(1e9),
  /** Jobs at a time: some are read, some computed, some rendered. */
  CONCURRENCY: count(16),
  /** Jobs that may wait. */
  QUEUE_LIMIT: count(64, 0),
  /** Photos that are explained in one run of a graph, at most. */
  BATCH: count(8),
  /** Milliseconds that the first of a batch waits for others while the device has nothing to do. */
  BATCH_DELAY_MS: count(5, 0),
  /** Megapixels of photos that are held decoded. */
  MEGAPIXELS: count(64),
  /** Threads that render for one tenant; one more is for another tenant. */
  DRAWING_THREADS: count(Math.max(1, availableParallelism() - 1)),
  /** Compiled explainers that are kept, and megabytes that their graphs may have in all. */
  EXPLAINERS: count(16),
  EXPLAINERS_MB: count(2048),
  /** Processes with tenants' models that are kept, and megabytes that they may take in all. */
  MODEL_PROCESSES: count(4),
  MODEL_PROCESSES_MB: count(4096),
  /** Megabytes that one such process may take; a model that needs more fails. */
  MODEL_PROCESS_MB: count(3072, 1024),
  /** Seconds after which an unused process ends. */
  MODEL_IDLE_SECONDS: count(300),
  /** Longest time to examine a tenant's model, or to load one. */
  VALIDATION_SECONDS: count(60),
  /** Longest time to run the methods on each model of the worker's own, while it has no job; 0 runs no method. */
  CHECK_SECONDS: count(60, 0),
  /** Longest time for one job. */
  JOB_SECONDS: count(300),
  /** Time for jobs to finish after SIGTERM. */
  DRAIN_SECONDS: count(25, 0),
});
export type WorkerEnv = z.infer<typeof envSchema>;

/** The part of the settings that a worker without a gateway has. */
const loneEnvSchema = envSchema
  .pick({
    ...({
      PORT: true,
      HOST: true,
      EXECUTION_PROVIDER: true,
      PROVIDER_FALLBACK: true,
      DEVICE_ID: true,
    } as const),
    ...({ THREADS: true, MEMORY: true, BATCH: true, BATCH_DELAY_MS: true, MEGAPIXELS: true } as const),
    ...({ DRAWING_THREADS: true, EXPLAINERS: true, EXPLAINERS_MB: true } as const),
    ...({ JOB_SECONDS: true, DRAIN_SECONDS: true } as const),
  })
  .extend({
    /** Without a key the worker answers everybody who reaches the port. */
    WORKER_API_KEY: z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/, 'expected at least 16 characters, without spaces')
      .optional(),
  });
export type LoneEnv = z.infer<typeof loneEnvSchema>;

/** The worker's settings. @throws Error that names each variable which is missing or wrong, without its value. */
export const parseEnv = (variables: Variables): WorkerEnv => parsed(envSchema, variables);
/** The settings of a worker without a gateway. @throws Error likewise */
export const parseLoneEnv = (variables: Variables): LoneEnv => parsed(loneEnvSchema, variables);

type Variables = Readonly<Record<string, string | undefined>>;

function parsed<T>(schema: z.ZodType<T>, variables: Variables): T {
  const { success, data, error } = schema.safeParse(variables);
  if (success) return data;
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`environment: ${issues.join('; ')}`);
}

export const processEnv = (): WorkerEnv => parseEnv(process.env);
/** The settings of a lone worker; the command line replaces variables. */
export const processLoneEnv = (said: Variables): LoneEnv => parseLoneEnv({ ...process.env, ...said });

/** The part of our environment that the process of a tenant's model gets: where its device's libraries are. */
export function deviceEnvironment(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) =>
    /^((CUDA|NVIDIA|VK)_\w+|LD_LIBRARY_PATH|PATH)$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, process.env[name]!]));
}
