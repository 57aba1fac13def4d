import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file with the version, and the same file with the next one. */
export interface VersionedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

const sections = ['dependencies', 'devDependencies'] as const;

/** Every file that names the version, with its text for the version `next`. The root's package.json says which version is the present one. */
export function withVersion(root: string, next: string): VersionedFile[] {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const manifests = [
    'package.json',
    ...globSync('{packages,apps}/*/package.json', { cwd: root }),
    'models/package.json',
  ];
  const image = 'infra/gpu-worker/Dockerfile';
  const change = (path: string, edit: (text: string) => string): VersionedFile => {
    const before = read(path);
    return { path, before, after: edit(before) };
  };
  return [
    ...manifests.map((path) => change(path, (text) => json(setVersion(JSON.parse(text), next)))),
    change('package-lock.json', (text) => {
      const lock = JSON.parse(text);
      lock.version = next;
      for (const [path, entry] of Object.entries<Manifest>(lock.packages))
        if (!path.includes('node_modules/')) setVersion(entry, next);
      return json(lock);
    }),
    change(image, (text) => text.replace(/(image\.version=")[^"]+/g, `$1${next}`)),
  ];
}

interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Our packages name each other by the exact version: they are made for each other. */
function setVersion(manifest: Manifest, next: string): Manifest {
  if (manifest.version !== undefined) manifest.version = next;
  for (const section of sections)
    for (const name of Object.keys(manifest[section] ?? {}))
      if (name.startsWith('@whylight/')) manifest[section]![name] = next;
  return manifest;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
