import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../apps/gpu-worker/src/telemetry/metrics.ts';
import { readManifests } from './manifests.ts';

const { spec } = readManifests('example').find(({ kind }) => kind === 'PrometheusRule')!;
const rules: { alert: string; expr: string }[] = spec.groups.flatMap(
  ({ rules }: { rules: { alert: string; expr: string }[] }) => rules,
);
const metrics = await createMetrics().registry.getMetricsAsJSON();
const names = new Map(metrics.map(({ name, type }) => [name, String(type)]));

/** The metric to which a series belongs. */
const metricOf = (series: string) =>
  names.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '');

describe.each(rules)('$alert', ({ expr }) => {
  const series = [...expr.matchAll(/whylight_\w+/g)].map(([name]) => name);

  test('asks only for metrics that a worker has', () => {
    expect(series.length).toBeGreaterThan(0);
    for (const name of series) expect([...names.keys()]).toContain(metricOf(name));
  });

  test('takes rates of counters and histograms only', () => {
    const rated = [...expr.matchAll(/rate\((whylight_\w+)/g)].map(([, name]) => name!);
    for (const name of rated) expect(['counter', 'histogram']).toContain(names.get(metricOf(name)));
  });
});
