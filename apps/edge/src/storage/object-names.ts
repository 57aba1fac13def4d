import { hex } from '@whylight/contract';
import type { Settings } from '../env.ts';

/** Hex digits of a name's code: 128 bits, too many to try all. */
const length = 32;
const purpose = 'whylight: names of objects, 1';
const encoder = new TextEncoder();

/**
 * Makes names of objects that nobody can guess without a secret of the gateway: each ends with a code,
 *
 *     name = path "-" HMAC-SHA-256(HMAC-SHA-256(S3_SECRET_ACCESS_KEY, purpose), path)
 *
 * so that ids, hashes and keys that a tenant is told, or the URL of one object, do not lead to another object. Whoever has
 * the secret can list the bucket anyway, so no other secret is needed. A name is made once and is written down
 * where its object is: with another secret new objects get other codes, and old ones stay where they are.
 */
export class ObjectNames {
  readonly #key: Promise<CryptoKey>;

  constructor({ S3_SECRET_ACCESS_KEY }: Pick<Settings, 'S3_SECRET_ACCESS_KEY'>) {
    this.#key = keyFor(S3_SECRET_ACCESS_KEY);
    // The callers that ask for a name get the error.
    this.#key.catch(() => {});
  }

  /** Gives the name of the photo that is announced with this id. */
  upload(tenant: string, id: string): Promise<string> {
    return this.#secret(`t/${tenant}/u/${id.slice('upl_'.length)}`);
  }

  /** Gives the name of the file of a tenant's model. */
  model(tenant: string, id: string): Promise<string> {
    return this.#secret(`t/${tenant}/m/${id.slice('mdl_'.length)}`);
  }

  /** Gives the prefix of the names of all artifacts of a cache key. */
  async results(tenant: string, key: string): Promise<string> {
    return `${await this.#secret(`t/${tenant}/x/${key}`)}/`;
  }

  async #secret(path: string): Promise<string> {
    const code = await crypto.subtle.sign('HMAC', await this.#key, encoder.encode(path));
    return `${path}-${hex(code).slice(0, length)}`;
  }
}

const importKey = (bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);

async function keyFor(secret: string): Promise<CryptoKey> {
  const own = await importKey(encoder.encode(secret).slice());
  return importKey(await crypto.subtle.sign('HMAC', own, encoder.encode(purpose)));
}
