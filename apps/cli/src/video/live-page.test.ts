import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LivePage } from './live-page.ts';

const page = new LivePage();
let url: URL;
beforeAll(async () => {
  url = new URL(await page.open(0));
});
afterAll(() => page.close());

/** The status and headers of an answer; the body of the stream never ends. */
function ask(path: string, host = url.host): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: url.hostname, port: url.port, path, headers: { Host: host } },
      (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
        response.destroy();
      },
    );
    sent.on('error', reject).end();
  });
}

describe('what a camera sees', () => {
  const stream = () => `/stream${url.search}`;

  test('is shown to who has the address that was printed', async () => {
    expect((await ask(url.pathname + url.search)).status).toBe(200);
    expect(await ask(stream())).toMatchObject({
      status: 200,
      headers: { 'content-type': expect.stringContaining('multipart/x-mixed-replace') },
    });
    expect((await ask(stream(), `localhost:${url.port}`)).status).toBe(200);
  });

  test('is not shown without the token, or with another', async () => {
    for (const path of ['/', '/stream', '/?token=', '/stream?token=0', `/stream?token=${'0'.repeat(32)}`])
      expect((await ask(path)).status, path).toBe(403);
  });

  test('is not shown under a name that somebody else has pointed to this machine', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${url.port}`,
      '127.0.0.1',
      `127.0.0.1.evil.example:${url.port}`,
    ])
      expect((await ask(stream(), host)).status, host).toBe(421);
  });

  test('cannot be embedded or read by a page of another origin', async () => {
    for (const path of [`/${url.search}`, stream()])
      expect((await ask(path)).headers, path).toMatchObject({
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
  });
});
