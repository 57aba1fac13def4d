import type { Store, StoreFault, StoreVerb } from '@whylight/contract/store';

/** The gateway's side of a store, as far as these tests use it: its own files have the types of Cloudflare's runtime. */
export interface Objects {
  readonly requests: {
    readonly store: Store;
    try(verb: StoreVerb, object: string): Promise<Response | StoreFault>;
  };
  signedPut(object: string, headers: Record<string, string>): Promise<string>;
  signedGet(artifact: {
    object: string;
    name: string;
    content_type: string;
  }): Promise<{ signed_url: string }>;
  signedPart(object: string, uploadId: string, part: number, bytes: number): Promise<string>;
  beginParts(object: string): Promise<string>;
  joinParts(
    object: string,
    uploadId: string,
    parts: readonly object[],
  ): Promise<'joined' | 'gone' | 'refused'>;
  dropParts(object: string, uploadId: string): Promise<void>;
  head(object: string): Promise<{ bytes: number; contentType: string; sha256: string | null } | null>;
  read(object: string): Promise<Uint8Array>;
  put(object: string, bytes: Uint8Array, contentType: string): Promise<void>;
  delete(object: string): Promise<boolean>;
}

interface Gateway {
  readonly Objects: new (settings: object) => Objects;
  readonly tryStore: (objects: Objects, name: string, missing: string) => Promise<StoreFault | null>;
  readonly findUnsignedHeaders: (
    objects: Objects,
    probe: { source: string; target: string },
  ) => Promise<string[] | null>;
}

const load = (file: string): Promise<Partial<Gateway>> =>
  import(/* @vite-ignore */ new URL(`../../apps/edge/src/storage/${file}`, import.meta.url).href);

export const { Objects, tryStore, findUnsignedHeaders } = Object.assign(
  {},
  ...(await Promise.all(['objects.ts', 'store-trial.ts', 'unsigned-headers.ts'].map(load))),
) as Gateway;
