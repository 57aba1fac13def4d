/**
 * `node test/bench/gateway-overhead.ts --before CHECKOUT [--rounds 200]`: what the gateway itself takes for a call, in this checkout and in an
 * earlier one that has its packages installed. Both services run at the same time and are asked in turn, so both have the same noise.
 * No call computes anything: the photo is there, and the result is known. Prints medians in milliseconds, their ratio, and bars.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { drawing } from '../service/pictures.ts';
import { RunningService } from '../service/running-service.ts';

const { values } = parseArgs({
  options: { before: { type: 'string' }, rounds: { type: 'string', default: '200' } },
});
if (values.before === undefined) throw new Error('expected --before CHECKOUT');
const [program, rounds] = [join(resolve(values.before), 'apps/cli/bin/whylight.js'), Number(values.rounds)];
const warmUp = 20;
const { png } = await drawing(3);

type Call = () => Promise<Response>;

/** The calls that are measured, each about what is already there. */
async function callsOf(service: RunningService): Promise<ReadonlyMap<string, Call>> {
  const { url, api_key, operator_key, tenant } = service.ready;
  const asked = (path: string, key: string, init: RequestInit = {}) =>
    fetch(new URL(path, url), {
      ...init,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...init.headers },
    });
  const post = (path: string, body: object) => () =>
    asked(path, api_key, { method: 'POST', body: JSON.stringify(body) });
  await asked(`/v1/operator/tenants/${tenant}/limits`, operator_key, {
    method: 'PUT',
    body: JSON.stringify({ requests: 1_000_000, concurrency: 1_000, compute_units: 100_000_000 }),
  });
  const upload = await service.client.upload(png, 'image/png');
  const question = { input: { upload: upload.id }, method: 'grad-cam' };
  const { explanation } = await service.client.explain(question);
  const self = explanation.urls.self;
  const etag = (await asked(self, api_key)).headers.get('ETag') ?? '';
  const visualization = { color_map: 'viridis' } as const;
  await service.client.render(explanation.id, { visualization });
  const { sha256, content_type, content_length } = upload;
  return new Map<string, Call>([
    ['announce a known photo', post('/v1/uploads', { sha256, content_type, content_length })],
    ['explain, from the cache', post('/v1/explanations', question)],
    ['read an explanation', () => asked(self, api_key)],
    ['read it again: 304', () => asked(self, api_key, { headers: { 'If-None-Match': etag } })],
    ['draw again, known', post(`${self}/render`, { visualization })],
    ['list limits', () => asked('/v1/limits', api_key)],
  ]);
}

async function timed(call: Call): Promise<number> {
  const start = performance.now();
  const answer = await call();
  await answer.arrayBuffer();
  const passed = performance.now() - start;
  if (!answer.ok && answer.status !== 304) throw new Error(`the service answered ${answer.status}`);
  return passed;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;
const bar = (milliseconds: number): string => '█'.repeat(Math.max(1, Math.round(milliseconds)));

const services = await Promise.all([RunningService.start({ program }), RunningService.start()]);
try {
  const [before, now] = [await callsOf(services[0]), await callsOf(services[1])];
  for (const [name, call] of now) {
    const earlier = before.get(name)!;
    const times: [before: number, now: number][] = [];
    for (let round = 0; round < warmUp + rounds; round++) {
      // Whoever is asked first may have a colder processor, so they change places.
      const first = round % 2 === 0 ? await timed(earlier) : 0;
      const second = await timed(call);
      times.push([first || (await timed(earlier)), second]);
    }
    const kept = times.slice(warmUp);
    const [p50, p50Now] = [median(kept.map(([time]) => time)), median(kept.map(([, time]) => time))];
    console.log(`${name}: ratio ${(p50Now / p50).toFixed(2)}`);
    console.log(`  before ${p50.toFixed(1).padStart(6)} ms ${bar(p50)}`);
    console.log(`  now    ${p50Now.toFixed(1).padStart(6)} ms ${bar(p50Now)}`);
  }
} finally {
  await Promise.all(services.map((service) => service.remove()));
}
