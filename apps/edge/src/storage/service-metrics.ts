import { ownModelStatuses } from '@whylight/contract';
import { ulid } from '../domain/ulid.ts';
import type { Backlog } from './backlog.ts';

/** Seconds that are counted back. */
const window = 3600;

/** One number of the whole service, with a label if there are several. */
export interface Count {
  readonly name: string;
  readonly help: string;
  readonly label: string | null;
  readonly values: Readonly<Record<string, number>>;
}

/** Metrics of the whole service, counted in D1 on request. No metric names a tenant. */
export class ServiceMetrics {
  readonly #db: D1Database;
  readonly #backlog: Backlog;

  constructor(db: D1Database, backlog: Backlog) {
    this.#db = db;
    this.#backlog = backlog;
  }

  async collect(): Promise<Count[]> {
    // Ids begin with their time: what is recent is a range of the primary key.
    const since = ulid(Date.now() - window * 1000).slice(0, 10);
    const groups = (query: string, ...values: string[]) => this.#db.prepare(query).bind(...values);
    const [waiting, [explanations, requests, models, webhooks, seen]] = await Promise.all([
      this.#backlog.count(),
      this.#db.batch<{ name: string; n: number }>([
        groups(
          'SELECT cache_status AS name, count(*) AS n FROM explanations WHERE id > ? GROUP BY 1',
          `exp_${since}`,
        ),
        groups(
          'SELECT outcome AS name, count(*) AS n FROM audit_events WHERE id > ? GROUP BY 1',
          `evt_${since}`,
        ),
        groups('SELECT status AS name, count(*) AS n FROM models GROUP BY 1'),
        groups('SELECT status AS name, count(*) AS n FROM webhook_endpoints GROUP BY 1'),
        groups("SELECT 'seen' AS name, unixepoch(seen_at) AS n FROM catalog"),
      ]),
    ]);
    const valuesOf = (
      result: D1Result<{ name: string; n: number }> | undefined,
      names: readonly string[],
    ) => ({
      ...Object.fromEntries(names.map((name) => [name, 0])),
      ...Object.fromEntries((result?.results ?? []).map(({ name, n }) => [name, n])),
    });
    return [
      {
        name: 'whylight_backlog',
        help: 'Computations, renderings, validations, warm-ups and requests that wait for a worker or have one',
        label: null,
        values: { '': waiting },
      },
      {
        name: 'whylight_explanations_last_hour',
        help: 'Explanations asked for in the last hour, by how the cache answered',
        label: 'cache',
        values: valuesOf(explanations, ['hit', 'miss', 'collapsed', 'bypass']),
      },
      {
        name: 'whylight_changes_last_hour',
        help: 'Requests of the last hour that were to change something, by outcome; rate limits are not among them',
        label: 'outcome',
        values: valuesOf(requests, ['done']),
      },
      {
        name: 'whylight_models',
        help: 'Models that tenants have brought, by status',
        label: 'status',
        values: valuesOf(models, ownModelStatuses),
      },
      {
        name: 'whylight_webhook_endpoints',
        help: 'Webhook endpoints, by status',
        label: 'status',
        values: valuesOf(webhooks, ['enabled', 'disabled']),
      },
      {
        name: 'whylight_worker_seen_timestamp_seconds',
        help: 'When a worker last said what it can explain; asked at most every 30 s, and only while there are requests',
        label: null,
        values: { '': seen?.results[0]?.n ?? 0 },
      },
    ];
  }
}
