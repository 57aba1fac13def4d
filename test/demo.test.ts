import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactNames } from '@whylight/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './service/running-service.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-demo-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('the demo tells its steps, answers in JSON where asked, and keeps what its parts say in a file', async () => {
  const [stdout, stderr] = await new Promise<[string, string]>((resolve, reject) => {
    const args = [cli, 'demo', '--once', '--json', '--port', '0', '--data', 'data', '-o', 'out'];
    execFile(process.execPath, args, { cwd: home }, (error, out, err) =>
      error ? reject(new Error(`${error.message}\n${err}`)) : resolve([out, err]),
    );
  });
  const { url, api_key, photo, explanations } = JSON.parse(stdout);
  expect([url, api_key]).toEqual([expect.stringMatching(/^http:/), expect.stringMatching(/^wl_live_/)]);
  expect((await stat(join(home, photo))).size).toBeGreaterThan(1000);
  expect(explanations).toMatchObject([
    {
      method: 'grad-cam',
      status: 'succeeded',
      out: 'out/grad-cam',
      model: { name: 'efficientnet-lite0' },
      predictions: [{ label: 'espresso' }, {}, {}, {}, {}],
      warnings: [],
    },
    { method: 'integrated-gradients', status: 'succeeded', out: 'out/integrated-gradients' },
  ]);
  for (const { out } of explanations)
    for (const name of artifactNames) expect((await stat(join(home, out, name))).size).toBeGreaterThan(100);
  const steps = stderr.trim().split('\n');
  expect(steps[0]).toMatch(/^Starting the gateway/);
  const offer = steps.indexOf('');
  for (const step of steps.slice(1, offer)) expect(step).toMatch(/^(\[\d+\.\d s\] | {11}out\/)/);
  expect(steps.slice(offer)).toContainEqual(expect.stringContaining('whylight explain photo.jpg -o out'));
  const log = await readFile(join(home, 'data', 'service.log'), 'utf8');
  expect(log).toMatch(/^worker: /m);
  expect(log).toMatch(/^gateway: migrations: 0001_tenants\.sql, /m);
});
