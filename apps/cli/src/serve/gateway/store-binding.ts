import { R2_S3_SERVICE_NAME } from 'miniflare';

interface Worker {
  readonly config: { readonly env?: Readonly<Record<string, { readonly type: string }>> };
}

/** The type of binding that this plugin knows. */
export const storeBinding = 'local-store';

/**
 * A plugin of Miniflare: lets a worker call the S3 endpoint of Miniflare's R2. Without it the endpoint can only be
 * reached through Miniflare's own entry, which has doors beside it.
 */
export const plugins = {
  [storeBinding]: {
    getBindings: ({ config }: Worker) =>
      Object.entries(config.env ?? {})
        .filter(([, { type }]) => type === `unsafe:${storeBinding}`)
        .map(([name]) => ({ name, service: { name: R2_S3_SERVICE_NAME } })),
    getNodeBindings: () => ({}),
    getServices: () => [],
  },
};
