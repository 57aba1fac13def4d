import { setTimeout as sleep } from 'node:timers/promises';
import { RunningService } from '../service/running-service.ts';
import { call } from './calls.ts';
import { type Job, mixedJobs } from './jobs.ts';
import { startKilling } from './kills.ts';
import { newTenants, type Tenant } from './tenants.ts';

export interface ChaosOptions {
  readonly jobs: number;
  readonly seed: number;
  /** Jobs that are asked for at a time. */
  readonly clients: number;
  readonly note: (line: string) => void;
}

export interface Tally {
  readonly seconds: number;
  readonly kills: Record<string, number>;
  readonly asked: number;
  readonly accepted: number;
  /** Rightly declined: what was asked cannot be. */
  readonly refused: number;
  /** Answered with something else than they should have been, or not at all. */
  readonly wrong: string[];
  /** Of the accepted ones, how they ended: `succeeded`, `canceled`, `failed: worker_crashed`. */
  readonly ended: Record<string, number>;
  /** How they came to their result: `miss`, `hit`, `collapsed`. */
  readonly cache: Record<string, number>;
  /** Accepted, and without an end. */
  readonly lost: number;
  /** Explanations that exist beyond those that were accepted. */
  readonly doubled: number;
  /** Explanations of one tenant that another one could see, or that show another one's photo. */
  readonly crossTenant: number;
  /** Results whose artifacts are not what their digests say. */
  readonly damaged: number;
  /** By tenant: computations (billed with those that failed or were given up) and compute units, which must be equal. */
  readonly bills: {
    computed: [billed: number, expected: number];
    units: [billed: number, expected: number];
  }[];
  /** Computations that still count as open when all have ended. */
  readonly open: number;
}

interface Accepted {
  readonly job: Job;
  readonly id: string;
  end: Ending | null;
}

/** The explanation at its end, as far as it is looked at. */
interface Ending {
  readonly status: string;
  readonly cache: { readonly status: string; readonly key: string };
  readonly error: { readonly code: string } | null;
  readonly attributions: readonly {
    readonly image: { readonly width: number };
    readonly artifacts: { readonly result: { readonly url: string; readonly sha256: string } };
  }[];
}

/** Milliseconds in which what was accepted must have ended, once all is quiet: three leases and then some. */
const patience = 8 * 60_000;

/** Asks for mixed jobs of five tenants while worker and gateway are killed, and counts what has become of them. */
export async function chaos({ jobs, seed, clients, note }: ChaosOptions): Promise<Tally> {
  const service = await RunningService.start();
  const begun = performance.now();
  try {
    const tenants = await newTenants(service, 6, 12);
    const [calibration, ...others] = tenants as [Tenant, ...Tenant[]];
    const units = await unitsOf(service, calibration);
    note(`compute units by kind: ${JSON.stringify(Object.fromEntries(units))}`);

    const stopKilling = startKilling(service);
    const accepted: Accepted[] = [];
    const wrong: string[] = [];
    let refused = 0;
    const waiting = mixedJobs(others, jobs, seed);
    const client = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        const answer = await call(`${service.ready.url}/v1/explanations`, job.tenant.key, {
          method: 'POST',
          body: job.body,
          headers: { 'Idempotency-Key': job.idempotencyKey },
        });
        if (answer.status === job.refused) refused++;
        else if (job.refused === undefined && (answer.status === 200 || answer.status === 202)) {
          const taken: Accepted = { job, id: answer.body.id, end: null };
          accepted.push(taken);
          if (job.canceled) await cancel(service, taken);
          if (accepted.length % 100 === 0) note(`${accepted.length} accepted`);
        } else wrong.push(`${job.kind}: ${answer.status} ${answer.body?.code ?? ''}`);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    const kills = await stopKilling();
    note(`all asked; killed ${JSON.stringify(kills)}; waiting for the ends`);
    await ends(service, accepted);
    const { damaged, shared } = await inspectResults(service, accepted, others);
    return {
      seconds: Math.round((performance.now() - begun) / 1000),
      kills,
      asked: jobs,
      accepted: accepted.length,
      refused,
      wrong,
      ended: counted(accepted.map(({ end }) => (end ? nameOf(end) : 'without an end'))),
      cache: counted(accepted.flatMap(({ end }) => (end ? [end.cache.status] : []))),
      lost: accepted.filter(({ end }) => end === null).length,
      doubled: (await existing(service, others)) - new Set(accepted.map(({ id }) => id)).size,
      crossTenant: shared,
      damaged,
      ...(await billed(service, accepted, others, units)),
    };
  } finally {
    await service.remove();
  }
}

const nameOf = ({ status, error }: Ending): string =>
  status === 'failed' ? `failed: ${error?.code}` : status;

const counted = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));

async function cancel({ ready }: RunningService, { job, id }: Accepted): Promise<void> {
  await call(`${ready.url}/v1/explanations/${id}/cancel`, job.tenant.key, { method: 'POST' });
}

/** What one computation of each kind costs, by what a tenant is billed that asks for nothing else. */
async function unitsOf(service: RunningService, tenant: Tenant): Promise<Map<string, number>> {
  const units = new Map<string, number>();
  const kinds = new Map(mixedJobs([tenant], 200, 1).map((job) => [job.kind, job]));
  for (const [kind, { body, refused }] of kinds) {
    if (refused !== undefined) continue;
    const before = (await usage(service, tenant)).units;
    const { id } = (await call(`${service.ready.url}/v1/explanations`, tenant.key, { method: 'POST', body }))
      .body;
    const asked: Accepted = { job: { tenant } as Job, id, end: null };
    await ends(service, [asked]);
    await sleep(500);
    units.set(kind, (await usage(service, tenant)).units - before);
  }
  return units;
}

async function usage(
  { ready }: RunningService,
  { key }: Tenant,
): Promise<{ computed: number; units: number }> {
  const { body } = await call(`${ready.url}/v1/usage`, key);
  const days = body.data as { explanations: number; compute_units: number }[];
  return {
    computed: days.reduce((sum, day) => sum + day.explanations, 0),
    units: days.reduce((sum, day) => sum + day.compute_units, 0),
  };
}

/** Asks until all have ended, or it has taken too long. */
async function ends({ ready }: RunningService, accepted: readonly Accepted[]): Promise<void> {
  const deadline = performance.now() + patience;
  const ask = async (one: Accepted) => {
    const { body } = await call(`${ready.url}/v1/explanations/${one.id}?wait=5`, one.job.tenant.key);
    if (body && body.status !== 'queued' && body.status !== 'processing') one.end = body as Ending;
  };
  for (;;) {
    const open = accepted.filter(({ end }) => end === null);
    if (open.length === 0 || performance.now() > deadline) return;
    for (let i = 0; i < open.length; i += 16) await Promise.all(open.slice(i, i + 16).map(ask));
  }
}

/** How many explanations there are. */
async function existing({ ready }: RunningService, tenants: readonly Tenant[]): Promise<number> {
  let count = 0;
  for (const { key } of tenants)
    for (let after = ''; ; ) {
      const { body } = await call(`${ready.url}/v1/explanations?limit=100${after}`, key);
      count += body.data.length;
      if (!body.has_more) break;
      after = `&starting_after=${body.next_cursor}`;
    }
  return count;
}

/** Every result must show its tenant's own photo, be what its digest says, and be nothing to the others. */
async function inspectResults(
  { ready }: RunningService,
  accepted: readonly Accepted[],
  tenants: readonly Tenant[],
): Promise<{ damaged: number; shared: number }> {
  let damaged = 0;
  let shared = 0;
  const digests = new Map<string, string>();
  for (const [n, { job, id, end }] of accepted.entries()) {
    const [attribution] = end?.attributions ?? [];
    if (attribution && attribution.image.width !== job.tenant.side) shared++;
    const other = tenants[(tenants.indexOf(job.tenant) + 1 + (n % (tenants.length - 1))) % tenants.length]!;
    if ((await call(`${ready.url}/v1/explanations/${id}`, other.key)).status !== 404) shared++;
    if (!attribution) continue;
    const { url, sha256 } = attribution.artifacts.result;
    if (digests.has(sha256)) continue;
    digests.set(sha256, await digestAt(new URL(url, ready.url), job.tenant.key));
    if (digests.get(sha256) !== sha256) damaged++;
  }
  return { damaged, shared };
}

/** The signed URL carries its own authorisation: the key must not go there too. */
async function digestAt(url: URL, key: string): Promise<string> {
  const signed = await fetch(url, { headers: { Authorization: `Bearer ${key}` }, redirect: 'manual' });
  const response = await fetch(signed.headers.get('Location')!);
  const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
  return Buffer.from(digest).toString('hex');
}

/** A computation is billed once however many asked for it and however often it had to be tried; failures are free. */
async function billed(
  service: RunningService,
  accepted: readonly Accepted[],
  tenants: readonly Tenant[],
  units: ReadonlyMap<string, number>,
): Promise<Pick<Tally, 'bills' | 'open'>> {
  const bills: Tally['bills'] = [];
  let open = 0;
  for (const tenant of tenants) {
    const succeeded = accepted.filter(({ job, end }) => job.tenant === tenant && end?.status === 'succeeded');
    const computations = new Map(succeeded.map(({ end, job }) => [end!.cache.key, units.get(job.kind)!]));
    const used = await usage(service, tenant);
    const { body } = await call(`${service.ready.url}/v1/limits`, tenant.key);
    open += body.concurrency.in_use;
    const expected = [...computations.values()].reduce((sum, cost) => sum + cost, 0);
    bills.push({ computed: [used.computed, computations.size], units: [used.units, expected] });
  }
  return { bills, open };
}
