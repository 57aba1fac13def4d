import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Processes } from '../processes.ts';
import { digestOf, gatewayBundle } from './bundle.ts';
import type { BundledGateway } from './bundled-gateway.ts';

const log: string[] = [];
const started: string[] = [];

/** Counts what is started. */
class Counted extends Processes {
  override start(...args: Parameters<Processes['start']>): ReturnType<Processes['start']> {
    started.push(args[0]);
    return super.start(...args);
  }
}

describe('the bundle of the gateway', () => {
  let processes: Counted;
  let folder: string;
  beforeAll(async () => {
    processes = new Counted((source, line) => log.push(`${source}: ${line}`));
    folder = await gatewayBundle(processes);
  }, 120_000);
  afterAll(() => processes.stop());

  test('is built once: without a change it is there at once, and without a word', async () => {
    started.length = 0;
    expect(await gatewayBundle(processes)).toBe(folder);
    expect([started, log]).toEqual([[], []]);
  });

  test('holds the workers, the options of the gateway and its migrations, and no setting', async () => {
    const bundled = JSON.parse(await readFile(join(folder, 'gateway.json'), 'utf8')) as BundledGateway;
    expect(bundled.name).toBe('whylight');
    expect(bundled.options).toMatchObject({
      durableObjects: {
        COMPUTATION: { className: 'Computation', useSQLite: true, unsafeUniqueKey: 'whylight-Flight' },
        TENANT_CLEANUP: { className: 'TenantCleanup', useSQLite: true, unsafeUniqueKey: 'whylight-Janitor' },
      },
      queueProducers: { JOBS: { queueName: 'jobs' } },
      queueConsumers: { jobs: { deadLetterQueue: 'jobs-dead' } },
    });
    expect(bundled.options).not.toHaveProperty('bindings');
    expect(bundled.migrations[0]).toMatchObject({
      name: '0001_tenants.sql',
      statements: expect.arrayContaining([expect.stringMatching(/^CREATE TABLE tenants/)]),
    });
    for (const name of ['gateway', 'front', 'store-front', 'migrations'])
      expect(await readFile(join(folder, `${name}.js`), 'utf8')).toContain('export {');
  });
});

describe('the digest of the sources', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whylight-sources-'));
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'a.ts'), '1');
    await writeFile(join(folder, 'deep', 'b.ts'), '2');
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('changes with a byte, a name and a new file, and not with a test', async () => {
    const seen = [await digestOf([folder])];
    await writeFile(join(folder, 'deep', 'b.test.ts'), 'a test');
    expect(await digestOf([folder])).toBe(seen[0]);
    await writeFile(join(folder, 'deep', 'b.ts'), '3');
    seen.push(await digestOf([folder]));
    await writeFile(join(folder, 'deep', 'c.ts'), '');
    seen.push(await digestOf([folder]));
    await rm(join(folder, 'deep', 'c.ts'));
    await writeFile(join(folder, 'deep', 'd.ts'), '');
    seen.push(await digestOf([folder]));
    expect(new Set(seen).size).toBe(seen.length);
  });
});
