import type { V4WorkerOptions } from 'miniflare';
import type { Migration } from './migrations.ts';

/** The workers that `whylight serve` runs, each a script of its name in the bundle. */
export type Script = 'gateway' | 'front' | 'store-front' | 'migrations';

/** A class of Durable Objects; `unsafeUniqueKey` says under which name its objects are stored. */
export interface DurableObjectClass {
  readonly className: string;
  readonly useSQLite?: boolean;
  readonly unsafeUniqueKey?: string;
}

/** The content of `gateway.json` of a bundle. */
export interface BundledGateway {
  readonly name: string;
  /** Miniflare's options for it, as wrangler reads them from its configuration; without script and settings. */
  readonly options: Pick<V4WorkerOptions, 'd1Databases'> & {
    readonly durableObjects: Readonly<Record<string, DurableObjectClass>>;
    readonly assets: { readonly binding: string; readonly directory: string };
    readonly r2Buckets: Readonly<Record<string, { readonly id: string }>>;
  };
  readonly migrations: readonly Migration[];
}
