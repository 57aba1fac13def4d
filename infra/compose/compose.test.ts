import { readFileSync } from 'node:fs';
import { resolveStore, type StoreSettings } from '@whylight/contract/store';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnv } from '../../apps/gpu-worker/src/env.ts';
import { variablesRead } from '../kubernetes/variables-read.ts';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const { services, volumes } = parse(read('compose.yaml'), { strict: true, uniqueKeys: true });
const template = [...read('.env.template').matchAll(/^(\w+)=(.*)$/gm)];
const { worker, store, bucket } = services;

/** The environment of a service, with what a filled .env gives. */
const filled = ({ environment }: { environment: Record<string, string> }): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [
      name,
      text.replace(/^\$\{(\w+)(:[?-][^}]*)?\}$/, (_, setting: string) =>
        setting === 'GATEWAY_URL'
          ? 'https://gateway.example.com'
          : setting === 'MODELS'
            ? ''
            : 'x'.repeat(40),
      ),
    ]),
  );

describe('the worker of the compose file', () => {
  test('has all settings that it needs, and reads each', () => {
    const env = parseEnv(filled(worker));
    const read = variablesRead(parseEnv, filled(worker));
    for (const name of Object.keys(worker.environment)) expect(read).toContain(name);
    expect(Number.parseInt(worker.stop_grace_period, 10)).toBeGreaterThanOrEqual(env.DRAIN_SECONDS + 20);
    expect(worker.tmpfs.map((mount: string) => mount.split(':')[0])).toContain(env.MODEL_CACHE);
  });

  test('reaches the store that is started, by path style, in its region and with its keys', () => {
    const env = filled(worker);
    const { port, hostname } = new URL(env.S3_ENDPOINT!);
    expect(services).toHaveProperty(hostname);
    expect(store.command).toContain(`:${port}`);
    expect(resolveStore(env as unknown as StoreSettings)).toMatchObject({
      style: 'path',
      region: store.environment.VGW_REGION,
    });
    expect(store.environment.ROOT_ACCESS_KEY).toContain('S3_ACCESS_KEY_ID');
    expect(bucket.entrypoint.join(' ')).toContain(`/data/${env.S3_BUCKET}`);
  });

  test('may do no more than in Kubernetes', () =>
    expect(worker).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    }));
});

test('every variable is in the template, which has no value, and no port is open to others', () => {
  const used = new Set([...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
  expect(template.map(([, name]) => name).sort()).toEqual([...used].sort());
  expect(template.map(([, , value]) => value).join('')).toBe('');
  for (const service of [worker, store])
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('every volume that is mounted exists', () => {
  const mounted = [store, bucket].flatMap((service) =>
    service.volumes.map((each: string) => each.split(':')[0]),
  );
  expect([...new Set(mounted)]).toEqual(Object.keys(volumes));
});
