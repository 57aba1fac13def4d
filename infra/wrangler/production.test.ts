import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { unstable_readConfig } from 'wrangler';

const edge = fileURLToPath(new URL('../../apps/edge/', import.meta.url));
const quiet = vi.spyOn(console, 'warn').mockImplementation(() => {}); // that R2 is local only, which is on purpose
afterAll(() => quiet.mockRestore());

interface Consumer {
  readonly queue: string;
  readonly dead_letter_queue?: string;
  readonly max_retries?: number;
}

const read = (env: string | undefined) =>
  unstable_readConfig({ config: join(edge, 'wrangler.jsonc'), ...(env && { env }) });
const environments = { local: read(undefined), production: read('production') };

describe.each(Object.entries(environments))('the gateway, %s', (_, config) => {
  test('has a database with migrations', () => {
    const [database] = config.d1_databases;
    expect(database).toMatchObject({ binding: 'DB', migrations_dir: 'migrations' });
    expect(existsSync(join(edge, database!.migrations_dir!))).toBe(true);
  });

  test('sends jobs to a queue whose dead letters it reads itself', () => {
    const queue = config.queues.producers?.[0]?.queue;
    const consumers: Consumer[] = config.queues.consumers ?? [];
    const consumer = consumers.find((each) => each.queue === queue);
    expect(consumer?.dead_letter_queue).toBeDefined();
    expect(consumer?.max_retries).toBeGreaterThan(0);
    expect(consumers.map((each) => each.queue)).toContain(consumer?.dead_letter_queue);
  });

  test('keeps each Durable Object in SQLite, from a migration on', () => {
    const classes = config.durable_objects.bindings.map(
      (binding: { class_name: string }) => binding.class_name,
    );
    const migrated = config.migrations.flatMap(
      (migration: { new_sqlite_classes?: string[]; renamed_classes?: { to: string }[] }) => [
        ...(migration.new_sqlite_classes ?? []),
        ...(migration.renamed_classes ?? []).map(({ to }) => to),
      ],
    );
    expect(classes).not.toHaveLength(0);
    expect(migrated).toEqual(expect.arrayContaining(classes));
  });

  test('has no setting in the file: all of them are secrets', () => expect(config.vars).toEqual({}));

  test('asks for no behaviour that the workerd in the lock does not have', () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
    const { version } = lock.packages['node_modules/workerd'];
    const [, year, month, day] = /^\d+\.(\d{4})(\d{2})(\d{2})\./.exec(version)!;
    expect(config.compatibility_date! <= `${year}-${month}-${day}`).toBe(true);
  });
});

test('production reaches S3 over the network only: no bucket is bound', () => {
  expect(environments.production.r2_buckets).toEqual([]);
  expect(environments.local.r2_buckets).toHaveLength(1);
});

test('production has logs', () => expect(environments.production.observability?.enabled).toBe(true));
