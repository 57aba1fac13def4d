import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WhylightClient } from '@whylight/client';
import type { ArtifactLink, Explanation } from '@whylight/contract';
import { sha256Hex } from '@whylight/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, commandLine, fetchBy, inNode } from './artifact-clients/clients.ts';
import { type Fronts, startFronts } from './artifact-clients/fronts.ts';
import { drawing } from './service/pictures.ts';
import { RunningService } from './service/running-service.ts';

let service: RunningService;
let explanation: Explanation;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-artifacts-'));
  service = await RunningService.start();
  const { id } = await service.client.upload((await drawing(51)).png, 'image/png');
  ({ explanation } = await service.client.explain({ input: { upload: id }, method: 'grad-cam' }));
});
afterAll(async () => {
  await service?.remove();
  await rm(folder, { recursive: true, force: true });
});

const links = (): ArtifactLink[] => Object.values(explanation.attributions[0]!.artifacts);
const isThere = ({ program }: Client): boolean => spawnSync(program, ['--version']).status === 0;

describe('L11: the stable link', () => {
  let fronts: Fronts;
  beforeAll(async () => {
    fronts = await startFronts(service.ready);
  });
  afterAll(() => fronts[Symbol.asyncDispose]());

  test('L11: a client that follows redirects with the key gets the bytes, and the store never sees the key', async () => {
    const clients = [...commandLine.filter(isThere), ...inNode(folder, ['fetch'])];
    for (const client of clients) {
      for (const { url, sha256 } of links()) {
        const fetched = await fetchBy(client, fronts, url, service.ready.api_key);
        expect({ client: client.name, ...fetched, requests: 0 }).toEqual({
          client: client.name,
          sha256,
          requests: 0,
          keys: 0,
        });
        // The gateway sends the bytes itself only to a client that would send the key along.
        expect(fetched.requests, client.name).toBe(client.name === 'wget' ? 0 : 1);
      }
    }
  });
});

describe('L11: a signed URL', () => {
  test('L11: gives the bytes without a key, on an origin that is not the gateway’s', async () => {
    for (const { signed_url, sha256 } of links()) {
      expect(new URL(signed_url!).origin).toBe(service.ready.store_url);
      const response = await fetch(signed_url!);
      expect(await sha256Hex(new Uint8Array(await response.arrayBuffer()))).toBe(sha256);
    }
    expect(service.ready.store_url).not.toBe(service.ready.url);
  });

  test('L11: with the key beside it is refused, and the sentence says to send it alone', async () => {
    const headers = { Authorization: `Bearer ${service.ready.api_key}` };
    const response = await fetch(links()[0]!.signed_url!, { headers });
    expect([response.status, await response.text()]).toEqual([
      403,
      expect.stringContaining('the store needs no API key'),
    ]);
  });

  test('L11: is what the client uses; it asks for another one only if the store refuses it', async () => {
    const asked: string[] = [];
    const client = new WhylightClient({
      url: service.ready.url,
      apiKey: service.ready.api_key,
      fetch: (input, init) => {
        const { origin, pathname } = new URL(String(input));
        const key = JSON.stringify(init?.headers ?? {}).includes('Bearer');
        asked.push(`${origin === service.ready.url ? 'gateway' : 'store'}${key ? ' with key' : ''}`);
        expect(key).toBe(pathname.startsWith('/v1/'));
        return fetch(input, init);
      },
    });
    const [overlay] = links();
    const bytes = await client.download(overlay!);
    expect([await sha256Hex(bytes), asked]).toEqual([overlay!.sha256, ['store']]);
    asked.length = 0;
    const old = {
      ...overlay!,
      signed_url: overlay!.signed_url!.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20200101'),
    };
    expect(await client.download(old)).toEqual(bytes);
    expect(asked).toEqual(['store', 'gateway with key', 'store']);
  });
});
