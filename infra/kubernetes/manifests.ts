import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

/** A Kubernetes object as a file contains it. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: shapes differ by kind; schema.test.ts checks them
  readonly [field: string]: any;
}

export const folder = fileURLToPath(new URL('./', import.meta.url));
/** The folders of `overlays`, each of which can be applied. */
export const overlays = ['cpu', 'cuda', 'lone', 'example'] as const;
export type Overlay = (typeof overlays)[number];

/** Reads every object of an overlay as `kubectl apply -k` sends it, and the template of the secrets. */
export function readManifests(overlay: Overlay = 'cuda'): Manifest[] {
  return [`generated/${overlay}.yaml`, 'secret.template.yaml'].flatMap((file) =>
    parseAllDocuments(readFileSync(folder + file, 'utf8'), { strict: true, uniqueKeys: true }).map(
      (document) => {
        if (document.errors.length > 0) throw document.errors[0];
        return { file, ...document.toJS() };
      },
    ),
  );
}

/** The first line of what is generated: it names the sources, so that a test without kustomize sees when they have changed. */
export function headerOfSources(): string {
  const hash = createHash('sha256');
  for (const file of globSync('{base,components,overlays}/**/*.yaml', { cwd: folder }).sort())
    hash.update(`${file}\n${readFileSync(folder + file, 'utf8')}\n`);
  return `# Made by \`node infra/kubernetes/render.ts\` from sources with SHA-256 ${hash.digest('hex')}. Change those.\n`;
}
