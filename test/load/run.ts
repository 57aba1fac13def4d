/**
 * `node test/load/run.ts [--seconds 10] [--jobs 96] [--connections 1,4,16] [--model NAME=PATH]`: how fast the service
 * answers on this machine, beside a bare Hono route in the same workerd. Prints one JSON document; see docs/how-to/operate.md.
 */
import { parseArgs } from 'node:util';
import type { Explanation } from '@whylight/contract';
import { newTenants, type Tenant } from '../chaos/tenants.ts';
import { RunningService } from '../service/running-service.ts';
import { startBare } from './bare.ts';
import { watchMemory } from './memory.ts';
import { haveWrk, post } from './wrk.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    jobs: { type: 'string', default: '96' },
    model: { type: 'string', multiple: true, default: [] },
    connections: { type: 'string', default: '1,4,16' },
  },
});
const seconds = Number(values.seconds);
const count = Number(values.jobs);
/** Clients that request new computations at the same time. */
const clients = 16;

if (!(await haveWrk())) throw new Error('wrk is needed: apt install wrk');
const note = (line: string) => process.stderr.write(`${line}\n`);
const service = await RunningService.start({ models: values.model });
const bare = await startBare();
try {
  const { url } = service.ready;
  const tenants = await newTenants({ url, operatorKey: service.ready.operator_key }, 4, 16);
  const [first] = tenants as [Tenant];
  const stopWatching = watchMemory(service);
  const ask = (tenant: Tenant, body: object, prefer = 'wait=60') =>
    fetch(`${url}/v1/explanations`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${tenant.key}`,
        'Content-Type': 'application/json',
        Prefer: prefer,
      },
      body: JSON.stringify(body),
    }).then(async (response) => (await response.json()) as Explanation);

  note('uncached Grad-CAM, one tenant');
  const questions = (of: readonly Tenant[]) =>
    Array.from({ length: count }, (_, n) => {
      const tenant = of[n % of.length]!;
      const input = { upload: tenant.photos[Math.floor(n / of.length) % tenant.photos.length]!.upload };
      const target = { class_index: Math.floor(n / of.length / tenant.photos.length) % 10 };
      return { tenant, body: { input, method: 'grad-cam', target } };
    });
  const uncached = await run(questions([first]), ({ tenant, body }) => ask(tenant, body));
  note('uncached Grad-CAM, mixed tenants');
  const mixed = await run(questions(tenants.slice(1)), ({ tenant, body }) => ask(tenant, body));

  note('cached repeats');
  const body = { input: { upload: first.photos[0]!.upload }, method: 'grad-cam', target: { class_index: 0 } };
  await ask(first, body);
  const headers = { Authorization: `Bearer ${first.key}` };
  const cached: Record<string, object> = {};
  for (const connections of values.connections.split(',').map(Number)) {
    const yardstick = await post(bare.url, { body, headers, connections, seconds });
    const repeats = await post(`${url}/v1/explanations`, { body, headers, connections, seconds });
    const ratio = repeats.p50_ms / yardstick.p50_ms;
    cached[`${connections} connections`] = { repeats, bare: yardstick, p50_ratio: round(ratio) };
  }
  const metrics = await (await fetch(`${service.ready.worker_url}/metrics`)).text();
  const metric = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  process.stdout.write(
    `${JSON.stringify(
      {
        uncached_one_tenant: uncached,
        uncached_mixed_tenants: mixed,
        mean_batch_size: round(metric('whylight_batch_size_sum') / metric('whylight_batch_size_count')),
        cached,
        memory: stopWatching(),
      },
      null,
      2,
    )}\n`,
  );
} finally {
  await bare.stop();
  await service.remove();
}

/** Sends all requests, so many at a time; the gateway's share of an answer is the time without the worker's. */
async function run<T>(all: readonly T[], ask: (one: T) => Promise<Explanation>) {
  const waiting = [...all];
  const times: number[] = [];
  const added: number[] = [];
  const ended: Record<string, number> = {};
  const begun = performance.now();
  const client = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const start = performance.now();
      const { status, metrics } = await ask(one);
      const took = performance.now() - start;
      times.push(took);
      ended[status] = (ended[status] ?? 0) + 1;
      if (metrics) added.push(took - metrics.decode_ms - metrics.compute_ms - metrics.render_ms);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return {
    per_second: round((all.length / (performance.now() - begun)) * 1000),
    p50_ms: round(percentile(times, 0.5)),
    p99_ms: round(percentile(times, 0.99)),
    beside_the_work_p50_ms: round(percentile(added, 0.5)),
    ended,
  };
}

function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
