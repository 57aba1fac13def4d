import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { assertUnsignedHeadersRefused } from './unsigned-headers.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A service whose store answers a signed PUT with what `answer` says of the headers that came unsigned. */
async function serviceWith(answer: (unsigned: string[]) => number) {
  const [announced, deleted, objects] = [[] as string[], [] as string[], new Set<string>()];
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, `http://${request.headers.host}`);
    const body = (await request.setEncoding('latin1').toArray()).join('');
    if (request.method === 'POST') {
      const id = `upl_${announced.push(url.pathname)}`;
      const signed = `http://${request.headers.host}/bucket/t/ten_1/u/${id}?X-Amz-SignedHeaders=host;if-none-match`;
      const upload = {
        method: 'PUT',
        url: signed,
        headers: { 'content-length': '64', 'if-none-match': '*' },
      };
      response.writeHead(201, { 'Content-Type': 'application/json' });
      return void response.end(JSON.stringify({ ...JSON.parse(body), id, upload }));
    }
    if (request.method === 'DELETE') deleted.push(url.pathname);
    if (request.method !== 'PUT') return void response.writeHead(204).end();
    const unsigned = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'));
    if (objects.has(url.pathname)) return void response.writeHead(412).end();
    const status = answer(unsigned);
    if (status === 200) objects.add(url.pathname);
    response.writeHead(status).end();
  }
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closing.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { service: { url, apiKey: 'key' }, deleted };
}

describe('L2: the smoke test tries what a signed URL does not sign', () => {
  test('L2: passes with a store that refuses it', async () => {
    const { service, deleted } = await serviceWith((unsigned) => (unsigned.length > 0 ? 403 : 200));
    await assertUnsignedHeadersRefused(service);
    expect(deleted).toEqual(['/v1/uploads/upl_1', '/v1/uploads/upl_2']);
  });

  test.each(['x-amz-copy-source', 'x-amz-meta-probe', 'x-amz-tagging', 'x-amz-acl'])(
    'L2: fails with one that takes %s, says what it must do, and cleans up',
    async (taken) => {
      const { service, deleted } = await serviceWith((unsigned) =>
        unsigned.length > 0 && !unsigned.includes(taken) ? 403 : 200,
      );
      await expect(assertUnsignedHeadersRefused(service)).rejects.toThrow(
        `answered 200 to a signed PUT with the header ${taken}, which is not signed: it must answer 403`,
      );
      expect(deleted).toHaveLength(2);
    },
  );

  test('L2: a store that takes nothing at all proves nothing', async () => {
    const { service } = await serviceWith(() => 403);
    await expect(assertUnsignedHeadersRefused(service)).rejects.toThrow('must take a PUT as it was signed');
  });
});
