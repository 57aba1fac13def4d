import dns from 'node:dns';
import { adviseOn, resolveStore, type StoreFault } from '@whylight/contract/store';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { tryStore } from './gateway-side.ts';
import { gatewaySide, startLocalStore, type TestedStore, workerSide } from './tested-store.ts';
import { freePort, startVersitygw, user, type Versitygw } from './versitygw.ts';

type Change = Parameters<typeof gatewaySide>[1];
const never = new AbortController().signal;

/** What the gateway's `/readyz` says of the store. */
async function gatewaySays(store: TestedStore, change?: Change): Promise<string | null> {
  const objects = gatewaySide(store, change);
  const fault = await tryStore(objects, 't/probe/trial', 't/probe/trial-missing');
  await objects.delete('t/probe/trial');
  return fault && adviseOn(fault, objects.requests.store);
}

/** What the worker's `/readyz` says of it. */
async function workerSays(store: TestedStore, change?: Change): Promise<string | null> {
  const storage = workerSide(store, change);
  const problem = await storage.findProblem(never, () => {});
  storage.close();
  return problem?.reason ?? null;
}

/** Both, in this order. */
const bothSay = async (store: TestedStore, change?: Change) => [
  await gatewaySays(store, change),
  await workerSays(store, change),
];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe('L13: gateway and worker say what is wrong with versitygw', () => {
  let versitygw: Versitygw;
  let store: TestedStore;
  beforeAll(async () => {
    versitygw = await startVersitygw();
    ({ store } = versitygw);
  });
  afterAll(() => store?.stop());

  test('nothing, if it is right; and nothing stays there', async () => {
    expect(await bothSay(store)).toEqual([null, null]);
    expect(await versitygw.files()).toEqual([]);
  });

  test.each<[string, NonNullable<Change>, RegExp]>([
    [
      'region',
      { S3_REGION: 'eu-west-1' },
      /expects the region "us-east-1", and "eu-west-1" was used\. Set S3_REGION=us-east-1\./,
    ],
    [
      'bucket',
      { S3_BUCKET: 'nowhere' },
      /does not know the bucket "nowhere"\. Make the bucket, or correct S3_BUCKET\./,
    ],
    ['key', { accessKeyId: 'nobody' }, /does not know the access key\. Set S3_ACCESS_KEY_ID/],
    [
      'secret',
      { secretAccessKey: 'another secret' },
      /does not accept the signature\. Set S3_SECRET_ACCESS_KEY/,
    ],
  ])('a wrong %s', async (_, change, sentence) => {
    for (const said of await bothSay(store, change)) expect(said).toMatch(sentence);
  });

  test('a store that is not there', async () => {
    const S3_ENDPOINT = `http://127.0.0.1:${await freePort()}`;
    for (const said of await bothSay(store, { S3_ENDPOINT }))
      expect(said).toMatch(/does not answer: nothing listens there\. .*no answer ECONNREFUSED/);
  });

  test('each right that is missing', async () => {
    const all = ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:ListBucket'];
    const without = (right: string) => versitygw.allow(all.filter((each) => each !== right));
    await versitygw.allow(all);
    expect(await bothSay(store, user)).toEqual([null, null]);
    for (const right of ['s3:PutObject', 's3:GetObject']) {
      await without(right);
      for (const said of await bothSay(store, user))
        expect(said).toContain(`Give the key the right ${right},`);
    }
    // It says that an object is not there to those too who may not list. AWS does not.
    await without('s3:ListBucket');
    expect(await bothSay(store, user)).toEqual([null, null]);

    await without('s3:DeleteObject');
    const { requests } = gatewaySide(store, user);
    const refused = (await requests.try('DELETE', 't/probe/trial')) as StoreFault;
    expect(adviseOn(refused, requests.store)).toContain('Give the key the right s3:DeleteObject,');
    // A worker deletes nothing.
    expect(await workerSays(store, user)).toBeNull();
  });

  describe('a clock that is 20 minutes off', () => {
    afterEach(() => {
      vi.useRealTimers();
    });
    const shift = (minutes: number) =>
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 });

    test.each([-20, 20])('%i: the gateway says so', async (minutes) => {
      shift(minutes);
      expect(await gatewaySays(store)).toMatch(/Set the time of both by NTP\./);
    });

    // Amazon's client takes the time of the store's refusal. The gateway tells a worker of its clock, from ten minutes on.
    test.each([-20, 20])('%i: the worker goes by the clock of the store', async (minutes) => {
      shift(minutes);
      expect(await workerSays(store)).toBeNull();
    });
  });
});

describe('L13: the bucket in the host', () => {
  const domain = 's3.store.test';
  let virtual: Versitygw;
  let pathOnly: Versitygw;
  beforeAll(async () => {
    virtual = await startVersitygw({ domain });
    pathOnly = await startVersitygw();
    const { lookup } = dns;
    // Every name below the domain is this machine.
    vi.spyOn(dns, 'lookup').mockImplementation(((name: string, options: object, done: never) =>
      lookup(name.endsWith(domain) ? '127.0.0.1' : name, options, done)) as never);
  });
  afterAll(async () => {
    await virtual?.store.stop();
    await pathOnly?.store.stop();
  });

  const at = ({ port }: Versitygw) =>
    ({ S3_ENDPOINT: `http://${domain}:${port}`, S3_STYLE: 'virtual' }) as const;

  test('a store that takes it works for both sides', async () => {
    expect(resolveStore({ ...virtual.store.settings, ...at(virtual) }).style).toBe('virtual');
    expect(await bothSay(virtual.store, at(virtual))).toEqual([null, null]);
    expect(await virtual.files()).toEqual([]);
  });

  test('a store that takes path style only: both say S3_STYLE=path, as they do for a name that nobody knows', async () => {
    for (const said of await bothSay(pathOnly.store, at(pathOnly)))
      expect(said).toContain('set S3_STYLE=path');
    const unknown = { S3_ENDPOINT: 'http://store.invalid', S3_STYLE: 'virtual' } as const;
    for (const said of await bothSay(pathOnly.store, unknown)) {
      expect(said).toMatch(/its name cannot be resolved\..*set S3_STYLE=path/);
      expect(said).toContain('photos.store.invalid');
    }
  });
});

describe('L13: gateway and worker say what is wrong with the local store', () => {
  let store: TestedStore;
  beforeAll(async () => {
    store = await startLocalStore();
  });
  afterAll(() => store?.stop());

  test('nothing, if it is right', async () => {
    expect(await bothSay(store)).toEqual([null, null]);
  });

  test.each<[string, NonNullable<Change>, RegExp]>([
    ['bucket', { S3_BUCKET: 'nowhere' }, /S3_BUCKET|S3_ENDPOINT|Give the key the right/],
    ['key', { accessKeyId: 'nobody' }, /S3_ACCESS_KEY_ID|S3_SECRET_ACCESS_KEY/],
    ['secret', { secretAccessKey: 'another secret' }, /S3_SECRET_ACCESS_KEY/],
  ])('a wrong %s', async (_, change, sentence) => {
    for (const said of await bothSay(store, change)) expect(said).toMatch(sentence);
  });
});
