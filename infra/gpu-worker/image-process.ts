import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

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

/** Mounts what a container has, in a mount namespace that ends with the process, and becomes the image's program. */
const start = `set -e
root=$1 user=$2
shift 2
[ -e "$root/etc/hosts" ] || : > "$root/etc/hosts"
mount --bind "$root" "$root"
mount --bind /etc/hosts "$root/etc/hosts"
mount -o remount,bind,ro "$root"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs -o mode=1777,size=1g,nosuid,nodev tmpfs "$root/tmp"
exec setpriv --no-new-privs chroot --userspec="$user" "$root" /usr/bin/env -i "$@"`;

/**
 * Starts an image as infra/kubernetes does, as far as this needs no container runtime: as the image's user, without capabilities,
 * with a root that cannot be written and a /tmp that can. It has the network of this machine. The process is the worker's own, so
 * that signals reach it, and its exit status is the worker's. It needs root.
 */
export function startImage(
  root: string,
  { Entrypoint, Env, User, WorkingDir }: ImageConfig,
  settings: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): ChildProcess {
  const variables = [...Env, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)];
  const command = [`--chdir=${WorkingDir}`, ...variables, ...Entrypoint, ...args];
  return spawn('unshare', ['--mount', '--', 'sh', '-c', start, 'sh', root, User, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
