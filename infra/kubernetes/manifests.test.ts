import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { validationPatience } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnv, parseLoneEnv } from '../../apps/gpu-worker/src/env.ts';
import { readOptions } from '../../apps/gpu-worker/src/kserve/options.ts';
import { folder, headerOfSources, type Manifest, overlays, readManifests } from './manifests.ts';
import { variablesRead } from './variables-read.ts';

const of = Object.fromEntries(overlays.map((overlay) => [overlay, readManifests(overlay)])) as Record<
  (typeof overlays)[number],
  Manifest[]
>;
function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (manifest) => manifest.kind === kind && (!name || manifest.metadata.name === name),
  );
  expect(found, `${kind} ${name ?? ''}`).toHaveLength(1);
  return found[0]!;
}
const podOf = (manifests: readonly Manifest[]) => find(manifests, 'Deployment').spec.template.spec;

describe('what is generated', () => {
  test.each(overlays)('generated/%s.yaml is made from the sources as they are', (overlay) => {
    const text = readFileSync(`${folder}generated/${overlay}.yaml`, 'utf8');
    expect(text.split('\n', 1)[0], 'run node infra/kubernetes/render.ts').toBe(headerOfSources().trim());
  });

  test('every file is used by a kustomization, and every component by the example', () => {
    const used = new Set<string>();
    for (const file of globSync('{base,components,overlays}/**/kustomization.yaml', { cwd: folder })) {
      const { resources = [], components = [], patches = [] } = parse(readFileSync(folder + file, 'utf8'));
      const paths = patches.flatMap(({ path }: { path?: string }) => path ?? []);
      for (const path of [...resources, ...components, ...paths])
        used.add(normalize(join(dirname(file), path)));
      used.add(file);
    }
    const files = globSync('{base,components,overlays}/**/*.yaml', { cwd: folder });
    expect(files.filter((file) => !used.has(file))).toEqual([]);
    expect(globSync('components/*', { cwd: folder }).filter((component) => !used.has(component))).toEqual([]);
  });
});

describe.each(['cpu', 'cuda', 'example'] as const)('for a gateway: %s', (overlay) => {
  const manifests = of[overlay];
  const the = (kind: string, name?: string) => find(manifests, kind, name);

  const deployment = the('Deployment');
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers;
  const portNames = container.ports.map(({ name }: { name: string }) => name);
  const settings = the('ConfigMap').data;
  const secrets = the('Secret', 'gpu-worker').stringData;

  describe('what is deployed', () => {
    test('the template of the secrets is not', () => {
      const kinds = manifests.filter(({ file }) => file.startsWith('generated/')).map(({ kind }) => kind);
      expect(kinds).toContain('Deployment');
      expect(kinds).not.toContain('Secret');
    });

    test('everything is in one namespace, which is made first', () => {
      const outside = manifests.filter(
        ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'whylight',
      );
      expect(outside).toEqual([]);
      expect(the('Namespace').metadata.name).toBe('whylight');
      expect(manifests[0]!.kind).toBe('Namespace');
    });

    test('the image is the one that the kustomization tags', () => {
      const target = overlay === 'cpu' ? 'cpu' : 'cuda';
      expect(container.image).toBe(`whylight/gpu-worker:${target}`);
      expect(settings.EXECUTION_PROVIDER).toBe(target);
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
      ['the NetworkPolicy', the('NetworkPolicy', 'gpu-worker').spec.podSelector.matchLabels],
      ['the PodDisruptionBudget', the('PodDisruptionBudget').spec.selector.matchLabels],
    ])('%s selects the worker', (_, labels) => {
      expect(Object.keys(labels)).not.toHaveLength(0);
      expect(pod.metadata.labels).toMatchObject(labels);
    });

    test('ports that are named exist', () => {
      const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
      const used = [
        ...the('Service').spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort),
        ...the('NetworkPolicy', 'gpu-worker').spec.ingress[0].ports.map(({ port }: { port: string }) => port),
        ...probes.map(({ httpGet }) => httpGet.port),
      ];
      for (const port of used) expect(portNames).toContain(port);
    });

    test('volumes that are mounted exist', () => {
      const volumes = pod.spec.volumes.map(({ name }: { name: string }) => name);
      for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
      const { persistentVolumeClaim: claim, emptyDir } = pod.spec.volumes[0];
      if (overlay === 'example') expect(claim.claimName).toBe(the('PersistentVolumeClaim').metadata.name);
      else expect(emptyDir.sizeLimit).toBe('4Gi');
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
        EXECUTION_PROVIDER: overlay === 'cpu' ? 'cpu' : 'cuda',
        MODEL_CACHE: container.volumeMounts.find(({ name }: { name: string }) => name === 'models').mountPath,
        PORT: container.ports[0].containerPort,
        HOST: '0.0.0.0',
      });
      for (const name of Object.keys(secrets))
        expect(() => parseEnv({ ...settings, ...values, [name]: undefined })).toThrow(name);
    });

    test('the worker reads every variable that it is given', () => {
      const read = variablesRead(parseEnv, { ...settings, ...values });
      for (const name of [...Object.keys(settings), ...Object.keys(secrets)]) expect(read).toContain(name);
    });

    test('the pod outlives the time that the worker takes to drain', () => {
      const { DRAIN_SECONDS } = parseEnv({ ...settings, ...values });
      expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(DRAIN_SECONDS + 20);
    });
  });

  describe('what the worker may', () => {
    test('one GPU if it computes on one, bounded memory, and requests for the scheduler', () => {
      expect(container.resources.limits).toMatchObject({ memory: expect.any(String) });
      expect(container.resources.limits['nvidia.com/gpu']).toBe(overlay === 'cpu' ? undefined : 1);
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
      const { policyTypes, egress } = the('NetworkPolicy', 'gpu-worker').spec;
      expect(policyTypes).toEqual(['Ingress', 'Egress']);
      const ports = egress.flatMap((rule: { ports: { port: number }[] }) =>
        rule.ports.map(({ port }) => port),
      );
      expect([...new Set(ports)].sort()).toEqual([443, 53]);
      expect(egress[1].to[0].ipBlock.except).toContain('169.254.0.0/16');
    });
  });
});

describe.each(overlays)('every worker: %s', (overlay) => {
  const pod = podOf(of[overlay]);
  const [container] = pod.containers;

  test('its volumes fit into the storage that the node gives it', () => {
    const volumes = pod.volumes.flatMap(
      ({ emptyDir }: { emptyDir?: { sizeLimit: string } }) => emptyDir ?? [],
    );
    const sum = volumes.reduce(
      (total: number, { sizeLimit }: { sizeLimit: string }) => total + bytes(sizeLimit),
      0,
    );
    expect(volumes.length).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(bytes(container.resources.limits['ephemeral-storage']));
  });

  test('workers are spread over zones and nodes', () => {
    const labels = find(of[overlay], 'Deployment').spec.template.metadata.labels;
    expect(
      pod.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey),
    ).toEqual(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
    for (const { labelSelector } of pod.topologySpreadConstraints)
      expect(labels).toMatchObject(labelSelector.matchLabels);
  });
});

describe('the cache of models', () => {
  test('holds less than its volume, whose overflow would end the pod', () => {
    const { MODEL_CACHE_MB } = find(of.cpu, 'ConfigMap').data;
    const [{ emptyDir }] = podOf(of.cpu).volumes;
    expect(Number(MODEL_CACHE_MB) * 2 ** 20).toBeLessThan(bytes(emptyDir.sizeLimit));
  });
});

describe('alone', () => {
  const [container] = podOf(of.lone).containers;
  const env = Object.fromEntries(
    container.env.map(({ name, value = 'x'.repeat(40) }: { name: string; value?: string }) => [name, value]),
  );

  test('the worker takes its options, reads every variable, and needs no other', () => {
    expect(readOptions(container.args).model).toBe('/whylight/models/efficientnet-lite0');
    const read = variablesRead(parseLoneEnv, env);
    for (const name of Object.keys(env)) expect(read).toContain(name);
    expect(container.envFrom).toBeUndefined();
  });

  test('the pod outlives the time that the worker takes to drain', () =>
    expect(podOf(of.lone).terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      parseLoneEnv(env).DRAIN_SECONDS + 20,
    ));

  test('no gateway is deployed for, none of its Services finds it, and it calls nobody', () => {
    const manifests = of.lone.filter(({ file }) => file.startsWith('generated/'));
    expect(manifests.map(({ kind }) => kind)).not.toContain('ScaledObject');
    expect(new Set(manifests.map(({ metadata }) => metadata.namespace ?? metadata.name))).toEqual(
      new Set(['whylight-lone']),
    );
    expect(find(manifests, 'NetworkPolicy').spec.egress).toEqual([]);
  });
});

describe('the example', () => {
  test('its Ingress waits as long as the gateway does', () => {
    const { metadata, spec } = find(of.example, 'Ingress');
    const annotations = (metadata as { annotations?: Record<string, string> }).annotations!;
    for (const direction of ['read', 'send'])
      expect(Number(annotations[`nginx.ingress.kubernetes.io/proxy-${direction}-timeout`]) * 1000).toBe(
        validationPatience,
      );
    const { name, port } = spec.rules[0].http.paths[0].backend.service;
    const service = find(of.example, 'Service', name);
    expect(service.spec.ports.map((each: { name: string }) => each.name)).toContain(port.name);
  });

  test('the store that it names can be reached', () => {
    const { S3_ENDPOINT } = find(of.example, 'ConfigMap').data;
    const { egress } = find(of.example, 'NetworkPolicy', 'gpu-worker-store').spec;
    expect(String(egress[0].ports[0].port)).toBe(new URL(S3_ENDPOINT).port);
  });

  test('what Prometheus reads is a port of the Service', () => {
    const { selector, endpoints } = find(of.example, 'ServiceMonitor').spec;
    const service = find(of.example, 'Service');
    expect((service.metadata as { labels?: object }).labels).toMatchObject(selector.matchLabels);
    expect(service.spec.ports.map(({ name }: { name: string }) => name)).toContain(endpoints[0].port);
  });
});

/** Bytes of a quantity of Kubernetes in Gi. */
function bytes(quantity: string): number {
  const [, number] = /^(\d+)Gi$/.exec(quantity) ?? [];
  expect(number, quantity).toBeDefined();
  return Number(number) * 2 ** 30;
}
