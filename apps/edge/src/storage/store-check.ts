import { sha256Hex } from '@whylight/contract';
import type { Settings } from '../env.ts';
import type { Objects } from './objects.ts';
import { findUnsignedHeaders, type ProbeObjects } from './unsigned-headers.ts';

/** Milliseconds before a store is tried again, by any isolate: one that is as it must be, and one that is not. */
const hour = 3_600_000;
const minute = 60_000;
/** Milliseconds after which no trial can still be under way. */
const longestTrial = 10 * minute;

interface Row {
  readonly store: string;
  /** JSON of a list. */
  readonly accepted: string;
  readonly checked_at: number;
}

/** The headers that a store accepts, and the time until which this result holds. */
interface Verdict {
  readonly accepted: readonly string[];
  readonly until: number;
}

/**
 * Checks whether the object store refuses headers that a signed URL does not sign. It tries the store at the first
 * call, then once an hour for all isolates together; every minute while the store is not as it must be.
 */
export class StoreCheck {
  readonly #db: D1Database;
  readonly #objects: Objects;
  readonly #settings: Settings;
  #verdict: Verdict = { accepted: [], until: 0 };
  #underWay: Promise<Verdict> | null = null;

  constructor(db: D1Database, objects: Objects, settings: Settings) {
    this.#db = db;
    this.#objects = objects;
    this.#settings = settings;
  }

  /**
   * Lists headers that the store takes unsigned, by the last trial. The list is empty if the store is as it must be,
   * or if no trial has had a result, since a store that does not answer is another fault.
   */
  async findAcceptedHeaders(): Promise<readonly string[]> {
    if (Date.now() < this.#verdict.until) return this.#verdict.accepted;
    this.#underWay ??= this.#look().finally(() => {
      this.#underWay = null;
    });
    this.#verdict = await this.#underWay;
    return this.#verdict.accepted;
  }

  async #look(): Promise<Verdict> {
    const { S3_ENDPOINT, S3_PUBLIC_ENDPOINT = S3_ENDPOINT, S3_REGION, S3_BUCKET } = this.#settings;
    const store = await sha256Hex(JSON.stringify([S3_ENDPOINT, S3_PUBLIC_ENDPOINT, S3_REGION, S3_BUCKET]));
    const row = await this.#db.prepare('SELECT * FROM store_check WHERE store = ?').bind(store).first<Row>();
    const known = row && verdictOf(JSON.parse(row.accepted) as string[], row.checked_at);
    if (known && Date.now() < known.until) return known;
    const found = await this.#try();
    const now = Date.now();
    if (found === null) {
      console.warn('whether the object store refuses headers that are not signed could not be tried');
      return { accepted: known?.accepted ?? [], until: now + minute };
    }
    await this.#db
      .prepare('INSERT OR REPLACE INTO store_check (id, store, accepted, checked_at) VALUES (1, ?, ?, ?)')
      .bind(store, JSON.stringify(found), now)
      .run();
    return verdictOf(found, now);
  }

  /** Makes objects for a trial and deletes them; also objects of a trial that was cut off, or whose deletion failed. */
  async #try(): Promise<string[] | null> {
    const id = crypto.randomUUID();
    const probe: ProbeObjects = { source: `t/probe/${id}-source`, target: `t/probe/${id}-target` };
    await this.#remember(Object.values(probe));
    try {
      return await findUnsignedHeaders(this.#objects, probe);
    } finally {
      const { results } = await this.#db
        .prepare('SELECT name FROM probe_objects WHERE made_at < ? LIMIT 20')
        .bind(Date.now() - longestTrial)
        .all<{ name: string }>();
      await this.#delete([...Object.values(probe), ...results.map(({ name }) => name)]);
    }
  }

  async #remember(names: readonly string[]): Promise<void> {
    const write = this.#db.prepare('INSERT INTO probe_objects (name, made_at) VALUES (?, ?)');
    await this.#db.batch(names.map((name) => write.bind(name, Date.now())));
  }

  async #delete(names: readonly string[]): Promise<void> {
    const forget = this.#db.prepare('DELETE FROM probe_objects WHERE name = ?');
    await Promise.all(
      names.map(async (name) => {
        if (await this.#objects.delete(name)) await forget.bind(name).run();
      }),
    );
  }
}

const verdictOf = (accepted: readonly string[], checkedAt: number): Verdict => ({
  accepted,
  until: checkedAt + (accepted.length === 0 ? hour : minute),
});
