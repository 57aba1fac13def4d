import { readdirSync, readFileSync } from 'node:fs';
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

/** Reads every object in this folder, except kustomization.yaml. */
export function readManifests(): Manifest[] {
  const folder = new URL('./', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml');
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, folder), 'utf8'), { strict: true, uniqueKeys: true }).map(
      (document) => {
        if (document.errors.length > 0) throw document.errors[0];
        return { file, ...document.toJS() };
      },
    ),
  );
}
