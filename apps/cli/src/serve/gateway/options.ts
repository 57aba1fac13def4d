import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { V4WorkerOptions } from 'miniflare';
import { programFile } from '../program.ts';
import type { BundledGateway, Script } from './bundled-gateway.ts';
import { frontSocket } from './front-socket.ts';

/** Miniflare's options for each worker; all its other features stay off. */
export interface GatewayOptions {
  readonly bundle: string;
  /** Settings of the gateway, and of the store: S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of the gateway and of the store, on the loopback interface. */
  readonly port: number;
  readonly storePort: number;
}

/** The date that the gateway is made for; these workers need no newer date. */
const compatibilityDate = '2026-11-01';
const plugin = { name: frontSocket, package: programFile('#front-socket') };

export const readBundle = async (bundle: string): Promise<BundledGateway> =>
  JSON.parse(await readFile(join(bundle, 'gateway.json'), 'utf8')) as BundledGateway;

/** The fronts of gateway and store, which alone have ports, and the gateway behind the first. */
export async function servedWorkers({
  bundle,
  settings,
  port,
  storePort,
}: GatewayOptions): Promise<V4WorkerOptions[]> {
  const { name, options } = await readBundle(bundle);
  const { assets, r2Buckets, ...own } = options;
  const s3Credentials = {
    accessKeyId: settings.S3_ACCESS_KEY_ID!,
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY!,
  };
  const front: V4WorkerOptions = {
    name: 'front',
    compatibilityDate,
    ...script(bundle, 'front'),
    serviceBindings: { GATEWAY: name },
    unsafeBindings: [{ name: 'SOCKET', type: frontSocket, plugin, options: { port, store: false } }],
  };
  // The gateway's own page, by either name of this machine, and pages that may call the API.
  const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
  const storeFront: V4WorkerOptions = {
    name: 'store-front',
    compatibilityDate,
    ...script(bundle, 'store-front'),
    bindings: { ORIGINS: [...origins, settings.CORS_ORIGINS ?? ''].join(' ').trim() },
    unsafeBindings: [{ name: 'STORE', type: frontSocket, plugin, options: { port: storePort, store: true } }],
  };
  const gateway: V4WorkerOptions = {
    ...own,
    ...script(bundle, 'gateway'),
    name,
    bindings: settings,
    // The gateway asks for one of these files itself; nobody else can.
    serviceBindings: {
      [assets.binding]: { disk: { path: resolve(bundle, assets.directory), writable: false } },
    },
    r2Buckets: Object.fromEntries(
      Object.entries(r2Buckets).map(([binding, bucket]) => [binding, { ...bucket, s3Credentials }]),
    ),
  };
  return [front, storeFront, gateway];
}

/** A worker that brings the gateway's database up to date, with nothing beside it. */
export async function migratingWorkers(bundle: string): Promise<V4WorkerOptions[]> {
  const { d1Databases } = (await readBundle(bundle)).options;
  return [
    { name: 'migrations', compatibilityDate, ...script(bundle, 'migrations'), d1Databases: d1Databases! },
  ];
}

const script = (bundle: string, name: Script) => ({
  modules: true,
  rootPath: bundle,
  scriptPath: `${name}.js`,
});
