import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { findVersitygw } from './build-versitygw.ts';
import type { TestedStore } from './tested-store.ts';

const bucket = 'photos';
const root = { accessKeyId: 'root', secretAccessKey: 'the-secret-of-root' };
/** A user whose rights tests set by a policy of the bucket. */
export const user = { accessKeyId: 'user', secretAccessKey: 'the-secret-of-the-user' };

/** A port of this machine at which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export type Versitygw = Awaited<ReturnType<typeof startVersitygw>>;

/** Starts versitygw on files of its own, on the loopback interface. `domain`: it takes the bucket in the host too, below this name. */
export async function startVersitygw({ domain }: { domain?: string } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-versitygw-'));
  const files = join(folder, 'files');
  await mkdir(join(files, bucket), { recursive: true });
  await mkdir(join(folder, 'iam'));
  const port = await freePort();
  const options = [
    '--port',
    `127.0.0.1:${port}`,
    '--iam-dir',
    join(folder, 'iam'),
    '--iam-cache-disable',
    '--quiet',
  ];
  const virtual = domain === undefined ? [] : ['--virtual-domain', `${domain}:${port}`];
  const child = spawn(findVersitygw(), [...options, ...virtual, 'posix', files], {
    env: { ROOT_ACCESS_KEY_ID: root.accessKeyId, ROOT_SECRET_ACCESS_KEY: root.secretAccessKey },
    stdio: 'ignore',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  while (!(await fetch(endpoint).catch(() => null))) {
    if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}`);
    await sleep(50);
  }
  const client = new AwsClient({ ...root, service: 's3', region: 'us-east-1', retries: 0 });
  const send = async (method: string, path: string, body: string) => {
    const response = await client.fetch(endpoint + path, { method, body });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  const account = `<Account><Access>${user.accessKeyId}</Access><Secret>${user.secretAccessKey}</Secret><Role>user</Role></Account>`;
  await send('PATCH', '/create-user', account);

  const store: TestedStore = {
    name: 'versitygw',
    settings: { S3_ENDPOINT: endpoint, S3_BUCKET: bucket },
    ...root,
    checksSha256: true,
    namesDownloads: true,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
  return {
    store,
    port,
    /** Lets the user do this, and nothing else. */
    allow: (actions: readonly string[]) => {
      const statement = (action: string[], resource: string) =>
        action.length === 0
          ? []
          : [{ Effect: 'Allow', Principal: user.accessKeyId, Action: action, Resource: resource }];
      const isOfBucket = (action: string) => action === 's3:ListBucket';
      const policy = {
        Version: '2012-10-17',
        Statement: [
          ...statement(
            actions.filter((action) => !isOfBucket(action)),
            `arn:aws:s3:::${bucket}/*`,
          ),
          ...statement(actions.filter(isOfBucket), `arn:aws:s3:::${bucket}`),
        ],
      };
      return send('PUT', `/${bucket}?policy`, JSON.stringify(policy));
    },
    /** Names of the files of the bucket. */
    files: async (): Promise<string[]> => {
      const entries = await readdir(join(files, bucket), { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
  };
}
