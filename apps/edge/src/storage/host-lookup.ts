import { z } from 'zod';
import { isPublicAddress } from '../domain/public-address.ts';

const answerSchema = z.object({
  Answer: z.array(z.object({ type: z.int(), data: z.string() })).default([]),
});
const types = { A: 1, AAAA: 28 } as const;

/** Looks names up by DNS over HTTPS (JSON): a Worker has no resolver of its own. */
export class HostLookup {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Says why the gateway may not call a host: the name has no address, or an address is not public. Null: it may call the host. */
  async findObjection(host: string): Promise<string | null> {
    try {
      const addresses = (await Promise.all([this.#ask(host, 'A'), this.#ask(host, 'AAAA')])).flat();
      if (addresses.length === 0) return 'name_not_found';
      return addresses.every(isPublicAddress) ? null : 'address_not_public';
    } catch {
      return 'name_not_resolved';
    }
  }

  async #ask(name: string, type: keyof typeof types): Promise<string[]> {
    const url = new URL(this.#url);
    url.searchParams.set('name', name);
    url.searchParams.set('type', type);
    const response = await fetch(url, {
      headers: { Accept: 'application/dns-json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) throw new Error(`the resolver answered ${response.status}`);
    const { Answer } = answerSchema.parse(await response.json());
    return Answer.filter((record) => record.type === types[type]).map(({ data }) => data);
  }
}
