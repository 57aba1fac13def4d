import { sha256Hex } from '@whylight/contract';
import { adviseOn } from '@whylight/contract/store';
import type { Settings } from '../env.ts';
import type { Objects } from './objects.ts';
import { tryStore } from './store-trial.ts';
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
  readonly fault: string | null;
  readonly checked_at: number;
}

/** What is wrong with the store, as a sentence for the operator; and the time until which this holds. */
interface Verdict {
  readonly fault: string | null;
  readonly until: number;
}

/** The result of a trial; `accepted` is null if the store answers too seldom to tell. */
interface Found {
  readonly fault: string | null;
  readonly accepted: readonly string[] | null;
}

/**
 * Checks whether the object store works: takes what a signed URL writes, gives it back and deletes it, and refuses headers that
 * the URL does not sign. It tries the store at the first call, then once an hour for all isolates together; every minute while the
 * store is not as it must be.
 */
export class StoreCheck {
  readonly #db: D1Database;
  readonly #objects: Objects;
  readonly #settings: Settings;
  #verdict: Verdict = { fault: null, until: 0 };
  #underWay: Promise<Verdict> | null = null;

  constructor(db: D1Database, objects: Objects, settings: Settings) {
    this.#db = db;
    this.#objects = objects;
    this.#settings = settings;
  }

  /** What is wrong with the store, by the last trial: a sentence for the operator; null if nothing is. */
  async findFault(): Promise<string | null> {
    if (Date.now() < this.#verdict.until) return this.#verdict.fault;
    this.#underWay ??= this.#look().finally(() => {
      this.#underWay = null;
    });
    this.#verdict = await this.#underWay;
    return this.#verdict.fault;
  }

  async #look(): Promise<Verdict> {
    const store = await this.#digest();
    const row = await this.#db.prepare('SELECT * FROM store_check WHERE store = ?').bind(store).first<Row>();
    const known = row && { fault: row.fault, accepted: JSON.parse(row.accepted) as string[] };
    if (known && Date.now() < untilOf(known, row.checked_at)) return verdictOf(known, row.checked_at);
    const { fault, accepted } = await this.#try();
    const now = Date.now();
    if (fault !== null) console.error(fault);
    else if (accepted === null) {
      console.warn('whether the object store refuses headers that are not signed could not be tried');
      return { ...verdictOf({ fault, accepted: known?.accepted ?? [] }, now), until: now + minute };
    }
    const found = { fault, accepted: accepted ?? known?.accepted ?? [] };
    await this.#db
      .prepare(
        'INSERT OR REPLACE INTO store_check (id, store, accepted, fault, checked_at) VALUES (1, ?, ?, ?, ?)',
      )
      .bind(store, JSON.stringify(found.accepted), fault, now)
      .run();
    return verdictOf(found, now);
  }

  /** Another store, or another key to it, has to be tried anew. The digest tells no more of the key than objects' names do. */
  #digest(): Promise<string> {
    const { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = this.#settings;
    const { store, publicStore } = this.#objects.requests;
    return sha256Hex(JSON.stringify([store, publicStore, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY]));
  }

  /** Makes objects for a trial and deletes them; also objects of a trial that was cut off, or whose deletion failed. */
  async #try(): Promise<Found> {
    const id = crypto.randomUUID();
    const probe: ProbeObjects = { source: `t/probe/${id}-source`, target: `t/probe/${id}-target` };
    await this.#remember(Object.values(probe));
    // A deletion that is refused will always be: then nothing that tenants delete would go.
    let refused: string | null = null;
    const found = await this.#tryWith(probe).finally(async () => {
      const { results } = await this.#db
        .prepare('SELECT name FROM probe_objects WHERE made_at < ? LIMIT 20')
        .bind(Date.now() - longestTrial)
        .all<{ name: string }>();
      refused = await this.#delete([...Object.values(probe), ...results.map(({ name }) => name)]);
    });
    return { ...found, fault: found.fault ?? refused };
  }

  async #tryWith(probe: ProbeObjects): Promise<Found> {
    const fault = await tryStore(this.#objects, probe.source, `${probe.target}-missing`);
    if (fault) return { fault: adviseOn(fault, this.#objects.requests.store), accepted: null };
    return { fault: null, accepted: await findUnsignedHeaders(this.#objects, probe) };
  }

  async #remember(names: readonly string[]): Promise<void> {
    const write = this.#db.prepare('INSERT INTO probe_objects (name, made_at) VALUES (?, ?)');
    await this.#db.batch(names.map((name) => write.bind(name, Date.now())));
  }

  /** @returns what the store says if it refuses a deletion */
  async #delete(names: readonly string[]): Promise<string | null> {
    const forget = this.#db.prepare('DELETE FROM probe_objects WHERE name = ?');
    const { requests } = this.#objects;
    const refusals = await Promise.all(
      names.map(async (name) => {
        const answer = await requests.try('DELETE', name, { accepts: [404] });
        if (!(answer instanceof Response))
          return answer.status !== null && answer.status < 500 ? adviseOn(answer, requests.store) : null;
        await answer.body?.cancel();
        await forget.bind(name).run();
        return null;
      }),
    );
    return refusals.find((refusal) => refusal !== null) ?? null;
  }
}

const untilOf = (
  { fault, accepted }: { fault: string | null; accepted: readonly string[] },
  at: number,
): number => at + (fault === null && accepted.length === 0 ? hour : minute);

function verdictOf(found: { fault: string | null; accepted: readonly string[] }, at: number): Verdict {
  const { fault, accepted } = found;
  return { fault: fault ?? sentenceOf(accepted), until: untilOf(found, at) };
}

const sentenceOf = (accepted: readonly string[]): string | null =>
  accepted.length === 0
    ? null
    : `The object store accepts a signed PUT with headers that are not signed (${accepted.join(', ')}), so a client could use a signed URL to copy another object. The store must answer 403 to every x-amz-* header that X-Amz-SignedHeaders does not name.`;
