import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './calls.ts';
import type { ChaosService } from './chaos-service.ts';
import { type Job, mixedJobs } from './jobs.ts';
import { newTenants, type Tenant } from './tenants.ts';

export interface ChaosOptions {
  readonly start: () => Promise<ChaosService>;
  readonly jobs: number;
  readonly seed: number;
  /** Jobs that are requested at a time. */
  readonly clients: number;
  readonly note: (line: string) => void;
}

export interface Tally {
  readonly seconds: number;
  readonly kills: Record<string, number>;
  readonly asked: number;
  readonly accepted: number;
  /** Number of impossible requests that were rightly refused. */
  readonly refused: number;
  /** Requests with a wrong answer or without an answer. */
  readonly wrong: string[];
  /** Number of accepted jobs by their end: `succeeded`, `canceled`, `failed: worker_crashed`. */
  readonly ended: Record<string, number>;
  /** Number of jobs by the way to their result: `miss`, `hit`, `collapsed`. */
  readonly cache: Record<string, number>;
  /** Number of accepted jobs without an end. */
  readonly lost: number;
  /** Number of explanations beyond the accepted ones. */
  readonly doubled: number;
  /** Explanations of one tenant that another tenant could see, or that show another tenant's photo. */
  readonly crossTenant: number;
  /** Results whose artifacts do not match their digests. */
  readonly damaged: number;
  /** Bill of each tenant: computations (billed also if they failed or were given up) and units, which must be equal. */
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

/** The checked members of an explanation at its end. */
interface Ending {
  readonly status: string;
  readonly cache: { readonly status: string; readonly key: string };
  readonly error: { readonly code: string } | null;
  readonly attributions: readonly {
    readonly image: { readonly width: number };
    readonly artifacts: { readonly result: { readonly url: string; readonly sha256: string } };
  }[];
}

/** Milliseconds in which accepted jobs must end after the last kill: more than three leases. */
const patience = 8 * 60_000;

/** Requests mixed jobs of five tenants while the service is disturbed, and counts how the jobs ended. */
export async function chaos({ start, jobs, seed, clients, note }: ChaosOptions): Promise<Tally> {
  const service = await start();
  const begun = performance.now();
  try {
    const tenants = await newTenants(service, 6, 12);
    const [calibration, ...others] = tenants as [Tenant, ...Tenant[]];
    const units = await unitsOf(service, calibration);
    note(`compute units by kind: ${JSON.stringify(Object.fromEntries(units))}`);

    const stopKilling = service.disturb();
    const accepted: Accepted[] = [];
    const wrong: string[] = [];
    let refused = 0;
    const waiting = mixedJobs(others, jobs, seed);
    const client = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        const answer = await call(`${service.url}/v1/explanations`, job.tenant.key, {
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

async function cancel({ url }: ChaosService, { job, id }: Accepted): Promise<void> {
  await call(`${url}/v1/explanations/${id}/cancel`, job.tenant.key, { method: 'POST' });
}

/** Measures the units of one computation of each kind, by the bill of a tenant that requests nothing else. */
async function unitsOf(service: ChaosService, tenant: Tenant): Promise<Map<string, number>> {
  const units = new Map<string, number>();
  const kinds = new Map(mixedJobs([tenant], 200, 1).map((job) => [job.kind, job]));
  for (const [kind, { body, refused }] of kinds) {
    if (refused !== undefined) continue;
    const before = (await usage(service, tenant)).units;
    const { id } = (await call(`${service.url}/v1/explanations`, tenant.key, { method: 'POST', body })).body;
    const asked: Accepted = { job: { tenant } as Job, id, end: null };
    await ends(service, [asked]);
    await sleep(500);
    units.set(kind, (await usage(service, tenant)).units - before);
  }
  return units;
}

async function usage({ url }: ChaosService, { key }: Tenant): Promise<{ computed: number; units: number }> {
  const { body } = await call(`${url}/v1/usage`, key);
  const days = body.data as { explanations: number; compute_units: number }[];
  return {
    computed: days.reduce((sum, day) => sum + day.explanations, 0),
    units: days.reduce((sum, day) => sum + day.compute_units, 0),
  };
}

/** Polls until all jobs have ended, or for too long a time. */
async function ends({ url }: ChaosService, accepted: readonly Accepted[]): Promise<void> {
  const deadline = performance.now() + patience;
  const ask = async (one: Accepted) => {
    const { body } = await call(`${url}/v1/explanations/${one.id}?wait=5`, one.job.tenant.key);
    if (body && body.status !== 'queued' && body.status !== 'processing') one.end = body as Ending;
  };
  for (;;) {
    const open = accepted.filter(({ end }) => end === null);
    if (open.length === 0 || performance.now() > deadline) return;
    for (let i = 0; i < open.length; i += 16) await Promise.all(open.slice(i, i + 16).map(ask));
  }
}

/** Counts the explanations of the tenants. */
async function existing({ url }: ChaosService, tenants: readonly Tenant[]): Promise<number> {
  let count = 0;
  for (const { key } of tenants)
    for (let after = ''; ; ) {
      const { body } = await call(`${url}/v1/explanations?limit=100${after}`, key);
      count += body.data.length;
      if (!body.has_more) break;
      after = `&starting_after=${body.next_cursor}`;
    }
  return count;
}

/** Checks that every result shows its tenant's own photo, matches its digest, and is invisible to other tenants. */
async function inspectResults(
  { url }: ChaosService,
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
    if ((await call(`${url}/v1/explanations/${id}`, other.key)).status !== 404) shared++;
    if (!attribution) continue;
    const { url: path, sha256 } = attribution.artifacts.result;
    if (digests.has(sha256)) continue;
    digests.set(sha256, await digestAt(new URL(path, url), job.tenant.key));
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

/** A computation is billed once for all its requests and tries; failures are free. */
async function billed(
  service: ChaosService,
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
    const { body } = await call(`${service.url}/v1/limits`, tenant.key);
    open += body.concurrency.in_use;
    const expected = [...computations.values()].reduce((sum, cost) => sum + cost, 0);
    bills.push({ computed: [used.computed, computations.size], units: [used.units, expected] });
  }
  return { bills, open };
}
