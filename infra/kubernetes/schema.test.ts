import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as apps from 'kubernetes-models/apps/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { type Manifest, overlays, readManifests } from './manifests.ts';

/** The kinds that we use: the validator of Kubernetes' or KEDA's own schema, and where its type is. */
const kinds = {
  'v1/Namespace': [core.Namespace, 'kubernetes-models/v1'],
  'v1/ServiceAccount': [core.ServiceAccount, 'kubernetes-models/v1'],
  'v1/ConfigMap': [core.ConfigMap, 'kubernetes-models/v1'],
  'v1/Secret': [core.Secret, 'kubernetes-models/v1'],
  'v1/Service': [core.Service, 'kubernetes-models/v1'],
  'v1/PersistentVolumeClaim': [core.PersistentVolumeClaim, 'kubernetes-models/v1'],
  'apps/v1/Deployment': [apps.Deployment, 'kubernetes-models/apps/v1'],
  'networking.k8s.io/v1/NetworkPolicy': [networking.NetworkPolicy, 'kubernetes-models/networking.k8s.io/v1'],
  'networking.k8s.io/v1/Ingress': [networking.Ingress, 'kubernetes-models/networking.k8s.io/v1'],
  'policy/v1/PodDisruptionBudget': [policy.PodDisruptionBudget, 'kubernetes-models/policy/v1'],
  'keda.sh/v1alpha1/ScaledObject': [keda.ScaledObject, '@kubernetes-models/keda/keda.sh/v1alpha1'],
  'keda.sh/v1alpha1/TriggerAuthentication': [
    keda.TriggerAuthentication,
    '@kubernetes-models/keda/keda.sh/v1alpha1',
  ],
  'monitoring.coreos.com/v1/ServiceMonitor': [
    monitoring.ServiceMonitor,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  ],
  'monitoring.coreos.com/v1/PrometheusRule': [
    monitoring.PrometheusRule,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  ],
} as const;

const kindOf = ({ apiVersion, kind }: Manifest) => kinds[`${apiVersion}/${kind}` as keyof typeof kinds];
const manifests = overlays.flatMap((overlay) => readManifests(overlay));
const plain = ({ file: _, ...object }: Manifest) => object;

/** What the schema has against an object, or null. */
function fault(manifest: Manifest): string | null {
  const Model = kindOf(manifest)[0] as unknown as new (data: object) => { validate(): void };
  try {
    new Model(plain(manifest)).validate();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What TypeScript has against objects written as literals of their kinds' types: above all, unknown fields. */
function typeFaults(objects: readonly Manifest[]): string {
  const folder = mkdtempSync(fileURLToPath(new URL('../../node_modules/.manifests-', import.meta.url)));
  try {
    const lines = objects.map((manifest, index) => {
      const type = `I${manifest.kind}`;
      return `import type { ${type} as T${index} } from '${kindOf(manifest)[1]}';
export const m${index}: T${index} = ${JSON.stringify(plain(manifest))};`;
    });
    writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'));
    const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
    ];
    execFileSync(process.execPath, [tsc, ...flags, '--ignoreConfig', 'manifests.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return '';
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('manifests and their schemas', () => {
  test.each(
    manifests.map(
      (manifest) => [`${manifest.file} ${manifest.kind} ${manifest.metadata.name}`, manifest] as const,
    ),
  )('%s obeys its schema', (_, manifest) => {
    expect(kindOf(manifest), 'a kind that this test knows').toBeDefined();
    expect(fault(manifest)).toBeNull();
  });

  test('no manifest has a field that its kind does not', () => expect(typeFaults(manifests)).toBe(''));

  test('a wrong type and an unknown field would be seen', () => {
    const deployment = structuredClone(manifests.find(({ kind }) => kind === 'Deployment')!);
    deployment.spec.minReadySeconds = 'soon';
    expect(fault(deployment)).toMatch(/minReadySeconds must be integer/);
    delete deployment.spec.minReadySeconds;
    deployment.spec.template.spec.containers[0].livelinessProbe = {};
    expect(typeFaults([deployment])).toMatch(/livelinessProbe/);
  });
});
