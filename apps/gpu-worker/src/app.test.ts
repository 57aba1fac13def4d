import { sign } from '@whylight/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { largestCall } from './app.ts';
import { createWorld, disc, secret, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const now = () => Date.now() / 1000;

describe('a call', () => {
  test('without a valid signature is refused', async () => {
    world = await createWorld();
    const body = JSON.stringify(await world.prepared(await disc()));
    const call = { direction: 'gateway-to-worker', method: 'POST', path: '/v5/jobs', body } as const;
    const wrong: [string, Record<string, string>][] = [
      ['none', {}],
      ['another secret', await sign('another secret', call, now())],
      ['the other direction', await sign(secret, { ...call, direction: 'worker-to-gateway' }, now())],
      ['another body', await sign(secret, { ...call, body: `${body} ` }, now())],
      ['another path', await sign(secret, { ...call, path: '/v1/models' }, now())],
      ['a time more than 15 minutes ago', await sign(secret, call, now() - 901)],
    ];
    for (const [, headers] of wrong)
      expect((await world.call('POST', '/v5/jobs', body, headers)).status).toBe(401);
    expect((await world.call('GET', '/v1/models', '', {})).status).toBe(401);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(0);
  });

  test('with a body that is no job is refused by the member', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    const refused = async (body: string) => {
      const response = await world.call('POST', '/v5/jobs', body);
      return [response.status, ((await response.json()) as { detail: string }).detail];
    };
    expect(await refused('{')).toEqual([400, expect.stringMatching(/^job: /)]);
    expect(await refused(JSON.stringify({ ...job, attempt: 0 }))).toEqual([
      400,
      expect.stringMatching(/^job: attempt: /),
    ]);
    expect(await refused(JSON.stringify({ ...job, tenant: 'x' }))).toEqual([
      400,
      expect.stringContaining('tenant'),
    ]);
    expect((await world.call('POST', '/v5/jobs', ' '.repeat(largestCall + 1))).status).toBe(413);
    const unannounced = new Blob([new Uint8Array(largestCall + 1)]).stream();
    const call = { method: 'POST', body: unannounced, duplex: 'half' } as RequestInit;
    expect((await fetch(`${world.worker.url}/v5/jobs`, call)).status).toBe(413);
  });
});
