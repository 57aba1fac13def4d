import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of an image's configuration that says how to start it. */
interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
}

/** Reads the configuration from what `buildah inspect --type image` prints. */
export function readImageConfig(path: string): ImageConfig {
  const { config } = JSON.parse(readFileSync(path, 'utf8')).Docker as { config: ImageConfig };
  return config;
}

/**
 * Makes the configuration with which an OCI runtime starts an image as infra/kubernetes does: as the image's user, without
 * capabilities, with a root that cannot be written and a /tmp that can. It has the network of this machine.
 */
export function runtimeConfig(
  root: string,
  { Entrypoint, Env, User, WorkingDir }: ImageConfig,
  settings: Readonly<Record<string, string>>,
  args: readonly string[],
): object {
  const [uid, gid] = User.split(':').map(Number);
  const none = { bounding: [], effective: [], permitted: [] };
  return {
    ociVersion: '1.0.2',
    process: {
      args: [...Entrypoint, ...args],
      cwd: WorkingDir,
      env: [...Env, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)],
      user: { uid, gid },
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'nodev', 'mode=1777', 'size=1g'],
      },
    ],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
}

/** Starts an image by crun. SIGTERM for this process reaches the worker; stdout is the worker's. */
export function startImage(
  root: string,
  config: ImageConfig,
  settings: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): ChildProcess {
  const bundle = mkdtempSync(join(tmpdir(), 'whylight-image-'));
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(runtimeConfig(root, config, settings, args)));
  const crun = ['--root', join(bundle, 'state'), '--cgroup-manager=disabled'];
  return spawn('crun', [...crun, 'run', '--bundle', bundle, `whylight-${process.pid}-${counter++}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

let counter = 0;
