import type { TenantView } from '@whylight/contract';
import { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { positive, withJson } from '../options.ts';
import { note, print, printJson, table } from '../output.ts';
import { openOperator } from '../remote/credentials.ts';
import { known } from '../remote/known.ts';

const create = withJson(
  new Command('create')
    .description('Create a tenant with its first API key, and show the secret this one time')
    .argument('<name>'),
).action(async (name: string, { json }: { json?: boolean }) => {
  const tenant = await (await openOperator()).createTenant(name);
  if (json) return printJson(tenant);
  print(tenant.key.secret);
  note(`${tenant.id}: ${tenant.name}. The key is not shown again.`);
});

const list = withJson(new Command('list').description('List tenants, newest first')).action(
  async ({ json }: { json?: boolean }) => {
    const tenants: TenantView[] = [];
    for await (const tenant of (await openOperator()).tenants()) tenants.push(tenant);
    if (json) return printJson(tenants);
    print(
      table(
        tenants.map(({ id, name, created_at, suspended_at }) => [
          id,
          name,
          created_at,
          suspended_at ? `suspended ${suspended_at}` : '',
        ]),
      ),
    );
  },
);

const suspend = (name: 'suspend' | 'resume', description: string) =>
  withJson(
    new Command(name).description(description).argument('<tenant>', 'id of the tenant: ten_...'),
  ).action(async (id: string, { json }: { json?: boolean }) => {
    const tenant = await known(`tenant ${id}`, (await openOperator()).suspend(id, name === 'suspend'));
    if (json) return printJson(tenant);
    print(`${tenant.id}: ${tenant.suspended_at ? `suspended ${tenant.suspended_at}` : 'active'}`);
  });

interface LimitOptions {
  readonly requests?: number;
  readonly concurrency?: number;
  readonly computeUnits?: number;
  readonly batches?: number;
  readonly json?: boolean;
}

const limits = withJson(
  new Command('limits')
    .description('Set the limits of a tenant; limits that you do not name stay as they are')
    .argument('<tenant>', 'id of the tenant: ten_...')
    .option('--requests <n>', 'requests in any 60 seconds', positive)
    .option('--concurrency <n>', 'computations at a time', positive)
    .option('--compute-units <n>', 'compute units in a day', positive)
    .option('--batches <n>', 'batches that may wait for a free computation at a time', positive),
).action(async (id: string, { requests, concurrency, computeUnits, batches, json }: LimitOptions) => {
  if (!requests && !concurrency && !computeUnits && !batches)
    throw new UsageError('expected at least one of --requests, --concurrency, --compute-units, --batches');
  const wanted = {
    ...(requests ? { requests } : {}),
    ...(concurrency ? { concurrency } : {}),
    ...(computeUnits ? { compute_units: computeUnits } : {}),
    ...(batches ? { batches } : {}),
  };
  const set = await known(`tenant ${id}`, (await openOperator()).limit(id, wanted));
  if (json) return printJson(set);
  print(`${set.requests.limit} requests in ${set.requests.window_seconds} s`);
  print(`${set.concurrency.limit} computations at a time`);
  print(`${set.compute_units.limit} compute units in a day`);
  print(`${set.batches.limit} batches at a time that wait for a place`);
});

export const tenants = new Command('tenants')
  .description('Manage tenants, with the operator key')
  .addCommand(list, { isDefault: true })
  .addCommand(create)
  .addCommand(suspend('suspend', 'Refuse all requests of a tenant until you resume it'))
  .addCommand(suspend('resume', 'Let a tenant in again'))
  .addCommand(limits);
