import { readdirSync, readFileSync } from 'node:fs';
import { answerSchemas, samplesOf } from '@whylight/contract/testing';
import { describe, expect, test } from 'vitest';
import { OperatorClient, WhylightClient } from './index.ts';

interface Clients {
  readonly tenant: WhylightClient;
  readonly operator: OperatorClient;
}

const bytes = new Uint8Array(3);
const request = { input: { upload: 'upl_1' }, method: 'grad-cam' };

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** A call whose answer the client reads by the schema of that name. */
const calls = new Map<string, (clients: Clients) => Promise<unknown>>(
  Object.entries({
    artifactUrlSchema: ({ tenant }) => tenant.artifact('exp_1', 'overlay.png'),
    auditEventListSchema: ({ tenant }) => all(tenant.auditEvents()),
    batchSchema: ({ tenant }) => tenant.batches.create([request]),
    explanationListSchema: ({ tenant }) => all(tenant.explanations()),
    explanationSchema: async ({ tenant }) => [await tenant.create(request), await tenant.cancel('exp_1')],
    keyListSchema: ({ tenant }) => all(tenant.keys()),
    limitsSchema: async ({ tenant, operator }) => [await tenant.limits(), await operator.limit('ten_1', {})],
    methodListSchema: ({ tenant }) => tenant.methods(),
    modelListSchema: async ({ tenant }) => [await tenant.models(), await all(tenant.ownModels.list())],
    modelSchema: ({ tenant }) => tenant.ownModels.get('mdl_1'),
    newKeySchema: async ({ tenant }) => [await tenant.createKey(), await tenant.rotateKey('key_1')],
    newWebhookEndpointSchema: ({ tenant }) => tenant.webhookEndpoints.create('https://hooks.test/'),
    predictionsSchema: ({ tenant }) => tenant.predict(request),
    problemSchema: ({ tenant }) => tenant.limits().catch((error: unknown) => error),
    renderingSchema: ({ tenant }) => tenant.render('exp_1'),
    tenantListSchema: ({ operator }) => all(operator.tenants()),
    tenantSchema: ({ operator }) => operator.createTenant('acme'),
    tenantViewSchema: ({ operator }) => operator.suspend('ten_1'),
    uploadSchema: ({ tenant }) => tenant.upload(bytes, 'image/png'),
    usageListSchema: ({ tenant }) => tenant.usage(),
    webhookDeliveryListSchema: ({ tenant }) => all(tenant.webhookEndpoints.deliveries('whe_1')),
    webhookDeliverySchema: ({ tenant }) => tenant.webhookEndpoints.redeliver('whe_1', 'whd_1'),
    webhookEndpointListSchema: ({ tenant }) => all(tenant.webhookEndpoints.list()),
    webhookEndpointSchema: ({ tenant }) => tenant.webhookEndpoints.get('whe_1'),
  }),
);

const store = 'https://store.test/';

/** Samples do not know what a list's cursor and the URLs of an upload and an artifact are good for. */
function answerable(sample: unknown): object {
  const body = sample as { next_cursor?: string; upload?: object; url?: string };
  if ('next_cursor' in body) return { ...body, next_cursor: null };
  if ('limits' in body) return { ...body, upload: { ...body.upload, url: store } };
  return 'url' in body ? { ...body, url: store } : body;
}

/** What comes of a call when the API answers everything with `sample`. */
function outcome(name: string, sample: unknown): Promise<unknown> {
  const status = name === 'problemSchema' ? 404 : 200;
  const connection = {
    url: 'https://whylight.test',
    apiKey: 'key',
    fetch: async (url: string | URL | Request) =>
      String(url) === store ? new Response('stored') : Response.json(answerable(sample), { status }),
  };
  return calls.get(name)!({
    tenant: new WhylightClient(connection),
    operator: new OperatorClient(connection),
  });
}

describe('L16: one member more in an answer', () => {
  const sources = readdirSync(import.meta.dirname).filter((file) => /(?<!\.test)\.ts$/.test(file));
  const read = sources.flatMap((file) => {
    const text = readFileSync(`${import.meta.dirname}/${file}`, 'utf8');
    return [...text.matchAll(/\b(\w+Schema)\.(?:safeP|p)arse\b/g)].map(([, name]) => name);
  });

  test('every answer that the client reads is tried', () => {
    expect([...new Set(read)].sort()).toEqual([...calls.keys()].sort());
  });

  test.each(answerSchemas.filter(([name]) => calls.has(name)))(
    '%s: the client goes on',
    async (name, schema) => {
      const tomorrow = samplesOf(schema, { of_tomorrow: [1] });
      for (const [index, today] of samplesOf(schema).entries())
        expect(await outcome(name, tomorrow[index])).toEqual(await outcome(name, today));
    },
  );
});
