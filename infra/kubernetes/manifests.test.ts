import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnv } from '../../apps/gpu-worker/src/env.ts';
import { type Manifest, readManifests } from './manifests.ts';

const manifests = readManifests();
function the(kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (manifest) => manifest.kind === kind && (!name || manifest.metadata.name === name),
  );
  expect(found, `${kind} ${name ?? ''}`).toHaveLength(1);
  return found[0]!;
}

const deployment = the('Deployment');
const pod = deployment.spec.template;
const [container] = pod.spec.containers;
const portNames = container.ports.map(({ name }: { name: string }) => name);
const settings = the('ConfigMap').data;
const secrets = the('Secret', 'gpu-worker').stringData;
const kustomization = parse(readFileSync(new URL('kustomization.yaml', import.meta.url), 'utf8'));

describe('what is deployed', () => {
  test('every file is in the kustomization, the template of the secrets is not', () => {
    const files = readdirSync(new URL('./', import.meta.url)).filter((file) => file.endsWith('.yaml'));
    const deployed = files.filter((file) => file !== 'kustomization.yaml' && file !== 'secret.template.yaml');
    expect([...kustomization.resources].sort()).toEqual(deployed.sort());
  });

  test('everything is in one namespace, which is made first', () => {
    const outside = manifests.filter(
      ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'whylight',
    );
    expect(outside).toEqual([]);
    expect(the('Namespace').metadata.name).toBe('whylight');
    expect(kustomization.resources[0]).toBe('namespace.yaml');
  });

  test('the image is the one that the kustomization tags', () => {
    expect(kustomization.images.map(({ name }: { name: string }) => name)).toContain(container.image);
  });

  test('no secret has a value in the repository', () => {
    for (const secret of manifests.filter(({ kind }) => kind === 'Secret'))
      expect(Object.values(secret.stringData).join('')).toBe('');
  });
});

describe('who selects whom', () => {
  test.each([
    ['the Deployment', deployment.spec.selector.matchLabels],
    ['the Service', the('Service').spec.selector],
    ['the NetworkPolicy', the('NetworkPolicy').spec.podSelector.matchLabels],
    ['the PodDisruptionBudget', the('PodDisruptionBudget').spec.selector.matchLabels],
  ])('%s selects the worker', (_, labels) => {
    expect(Object.keys(labels)).not.toHaveLength(0);
    expect(pod.metadata.labels).toMatchObject(labels);
  });

  test('ports that are named exist', () => {
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
    const used = [
      ...the('Service').spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort),
      ...the('NetworkPolicy').spec.ingress[0].ports.map(({ port }: { port: string }) => port),
      ...probes.map(({ httpGet }) => httpGet.port),
    ];
    for (const port of used) expect(portNames).toContain(port);
  });

  test('volumes that are mounted exist', () => {
    const volumes = pod.spec.volumes.map(({ name }: { name: string }) => name);
    for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
    expect(pod.spec.volumes[0].persistentVolumeClaim.claimName).toBe(
      the('PersistentVolumeClaim').metadata.name,
    );
    expect(pod.spec.serviceAccountName).toBe(the('ServiceAccount').metadata.name);
  });

  test('KEDA scales the Deployment, with a token that the Secret has', () => {
    const { scaleTargetRef, triggers } = the('ScaledObject').spec;
    expect(scaleTargetRef.name).toBe(deployment.metadata.name);
    expect(triggers[0].authenticationRef.name).toBe(the('TriggerAuthentication').metadata.name);
    const [{ name, key }] = the('TriggerAuthentication').spec.secretTargetRef;
    expect(the('Secret', name).stringData).toHaveProperty(key);
    expect(deployment.spec.replicas, 'KEDA sets it').toBeUndefined();
  });
});

describe('what the worker is told', () => {
  const values = Object.fromEntries(Object.keys(secrets).map((name) => [name, 'x'.repeat(40)]));

  test('the settings and the secrets are all that it needs', () => {
    const env = parseEnv({ ...settings, ...values });
    expect(env).toMatchObject({
      EXECUTION_PROVIDER: 'cuda',
      PORT: container.ports[0].containerPort,
      HOST: '0.0.0.0',
    });
    for (const name of Object.keys(secrets))
      expect(() => parseEnv({ ...settings, ...values, [name]: undefined })).toThrow(name);
  });

  test('the worker reads every variable that it is given', () => {
    const read = new Set<string | symbol>();
    const record = (target: object, name: string | symbol) => {
      read.add(name);
      return Reflect.get(target, name);
    };
    parseEnv(new Proxy({ ...settings, ...values }, { get: record }));
    for (const name of [...Object.keys(settings), ...Object.keys(secrets)]) expect(read).toContain(name);
  });

  test('the pod outlives the time that the worker takes to drain', () => {
    const { DRAIN_SECONDS } = parseEnv({ ...settings, ...values });
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(DRAIN_SECONDS + 20);
  });
});

describe('what the worker may', () => {
  test('one GPU, bounded memory, and requests for the scheduler', () => {
    expect(container.resources.limits).toMatchObject({ 'nvidia.com/gpu': 1, memory: expect.any(String) });
    expect(container.resources.requests).toMatchObject({
      cpu: expect.any(String),
      memory: expect.any(String),
    });
  });

  test('no root, no escalation, no writable image, no token of the cluster', () => {
    expect(pod.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    expect(the('ServiceAccount').automountServiceAccountToken).toBe(false);
  });

  test('it reaches names and HTTPS, and nothing link-local', () => {
    const { policyTypes, egress } = the('NetworkPolicy').spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const ports = egress.flatMap((rule: { ports: { port: number }[] }) => rule.ports.map(({ port }) => port));
    expect([...new Set(ports)].sort()).toEqual([443, 53]);
    expect(egress[1].to[0].ipBlock.except).toContain('169.254.0.0/16');
  });
});
