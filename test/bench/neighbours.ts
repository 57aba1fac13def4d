/**
 * `node test/bench/neighbours.ts [--rounds 3] [--limit 120] [--kinds validation,own_model,rendering]`: what a noisy tenant
 * costs another one. A quiet tenant has a model of its own examined, explains by such a model, and renders a result in
 * another style: first alone, then while a noisy tenant keeps six slow models waiting to be examined, fourteen jobs for
 * three of them, and eight renderings. Prints one JSON document: medians in seconds, and the ratio of each pair; one run's
 * ratio counts, not its seconds. What takes longer than `--limit` seconds is ended, and counts as that long.
 *
 * The service's data lie in memory where the machine has a folder for that. Locally one thread writes all databases and
 * objects, and waits for the disk each time, for all tenants; deployed these are services of their own.
 */
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Model, NewKey } from '@whylight/contract';
import { announceModel, putParts } from '../service/own-model.ts';
import { drawing } from '../service/pictures.ts';
import { RunningService } from '../service/running-service.ts';
import { slowNetwork } from '../service/slow-network.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    limit: { type: 'string', default: '120' },
    kinds: { type: 'string', default: 'validation,own_model,rendering' },
  },
});
const [rounds, limit] = [Number(values.rounds), Number(values.limit)];

const memory = '/dev/shm';
const directory = await mkdtemp(join(existsSync(memory) ? memory : tmpdir(), 'whylight-neighbours-'));
const service = await RunningService.start({ directory });
/** Ends the noise, and what the quiet tenant still waits for. */
const over = new AbortController();

interface Tenant {
  readonly key: string;
  readonly client: RunningService['client'];
  readonly upload: string;
}

async function newTenant(name: string): Promise<Tenant> {
  const { operator_key } = service.ready;
  const made = await service.call('/v1/operator/tenants', { name }, operator_key);
  const { id, key } = (await made.json()) as { id: string; key: NewKey };
  await fetch(`${service.ready.url}/v1/operator/tenants/${id}/limits`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${operator_key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ requests: 1_000_000, concurrency: 1000, compute_units: 100_000_000 }),
  });
  const client = service.clientOf(key.secret);
  return { key: key.secret, client, upload: (await client.upload((await drawing(1)).png, 'image/png')).id };
}

let seed = 0;
/** Has a slow model of its own examined. @returns it, once it is ready */
async function bring({ key }: Tenant, layers: number, signal = over.signal): Promise<Model> {
  const bytes = slowNetwork(layers, ++seed);
  const model = await announceModel(service, bytes, { name: `slow${seed}` }, key);
  await service.call(model.urls.complete!, { parts: await putParts(model, bytes) }, key);
  for (;;) {
    const now = (await (await service.call(`/v1/models/${model.id}`, undefined, key)).json()) as Model;
    if (now.status === 'ready') return now;
    if (now.status === 'rejected') throw new Error(JSON.stringify(now.error));
    await sleep(100, undefined, { signal });
  }
}

const parameters = (stride: number) => ({
  sliding_window_shapes: [3, stride, stride],
  strides: [3, stride, stride],
});
async function explain(
  { client, upload }: Tenant,
  model: string,
  stride: number,
  { class_index = 0, signal = over.signal } = {},
): Promise<string> {
  const question = { method: 'occlusion', parameters: parameters(stride), target: { class_index } };
  const { explanation } = await client.explain(
    { input: { upload }, model, ...question },
    { fresh: true, signal },
  );
  if (explanation.status !== 'succeeded') throw new Error(JSON.stringify(explanation));
  return explanation.id;
}

const style = () => ({ visualization: { opacity: 0.01 + 0.99 * Math.random() } });

const refused = { count: 0, last: '' };
/** Repeats `work` until the noise is over, `count` at a time. */
function keep(count: number, work: (one: number) => Promise<unknown>): void {
  for (let one = 0; one < count; one++)
    void (async () => {
      while (!over.signal.aborted)
        await work(one).catch(async (error: unknown) => {
          if (over.signal.aborted) return;
          refused.count++;
          refused.last = String(error);
          await sleep(200);
        });
    })();
}

async function measure(work: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const late = AbortSignal.timeout(limit * 1000);
    await work(late).catch((error: unknown) => {
      if (!late.aborted) throw error;
    });
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

try {
  const [quiet, noisy] = [await newTenant('quiet'), await newTenant('noisy')];
  const own = await bring(quiet, 1);
  const done = await explain(quiet, own.id, 8);
  const kinds = {
    validation: (signal: AbortSignal) => bring(quiet, 1, signal),
    own_model: (signal: AbortSignal) => explain(quiet, own.id, 4, { signal }),
    rendering: (signal: AbortSignal) => quiet.client.render(done, style(), signal),
  };
  const measureAll = async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const [kind, work] of Object.entries(kinds)) {
      if (!values.kinds.split(',').includes(kind)) continue;
      found[kind] = await measure(work);
      console.error(kind, found[kind]);
    }
    return found;
  };
  const slow = [await bring(noisy, 3), await bring(noisy, 3), await bring(noisy, 3)];
  // A result has at most 256 styles.
  const theirs: string[] = [];
  for (let class_index = 0; class_index < 8; class_index++)
    theirs.push(await explain(noisy, slow[0]!.id, 16, { class_index }));
  const alone = await measureAll();
  let turn = 0;
  keep(14, () => explain(noisy, slow[turn++ % slow.length]!.id, 2));
  keep(6, () => bring(noisy, 3));
  keep(8, (one) => noisy.client.render(theirs[one]!, style()));
  await sleep(10_000);
  const beside = await measureAll();
  const ratio = Object.entries(alone).map(([kind, seconds]) => [kind, round2(beside[kind]! / seconds)]);
  const rounded = (found: Record<string, number>) =>
    Object.fromEntries(Object.entries(found).map(([kind, seconds]) => [kind, round2(seconds)]));
  console.log(
    JSON.stringify(
      { rounds, alone: rounded(alone), beside: rounded(beside), ratio: Object.fromEntries(ratio), refused },
      null,
      2,
    ),
  );
} finally {
  over.abort();
  await service.remove();
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
