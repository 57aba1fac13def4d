import { Command } from 'commander';
import { withJson } from '../options.ts';
import { print, printJson, table } from '../output.ts';
import { openClient } from '../remote/credentials.ts';

export const usage = withJson(
  new Command('usage').description('Show what the tenant has used each day, and what is left of its limits'),
).action(async ({ json }: { json?: boolean }) => {
  const client = await openClient();
  const [days, limits] = await Promise.all([client.usage(), client.limits()]);
  if (json) return printJson({ usage: days, limits });
  const rows = days.map((day) => [
    day.date,
    `${day.requests} requests`,
    `${day.explanations} explanations`,
    `${day.compute_units} compute units`,
  ]);
  if (rows.length > 0) print(`${table(rows)}\n`);
  const { requests, concurrency, compute_units: units } = limits;
  print(`left: ${requests.remaining} of ${requests.limit} requests in ${requests.window_seconds} s`);
  print(`      ${units.remaining} of ${units.limit} compute units today`);
  print(`      ${concurrency.limit - concurrency.in_use} of ${concurrency.limit} computations at a time`);
});
