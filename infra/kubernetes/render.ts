/**
 * Writes what each overlay amounts to into `generated`, which tests check against the schemas and which can be applied as it is:
 * `node infra/kubernetes/render.ts`. Run it after a change of base, components or overlays. It needs kubectl or kustomize.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { folder, headerOfSources, type Overlay, overlays } from './manifests.ts';

/** The command that renders a folder, or null if this machine has none. */
export function findKustomize(): readonly [string, ...string[]] | null {
  for (const command of [
    ['kubectl', 'kustomize'],
    ['kustomize', 'build'],
  ] as const)
    if (spawnSync(command[0], [command[1], '--help'], { stdio: 'ignore' }).status === 0) return command;
  return null;
}

export function render([program, ...args]: readonly [string, ...string[]], overlay: Overlay): string {
  const objects = execFileSync(program, [...args, `overlays/${overlay}`], { cwd: folder, encoding: 'utf8' });
  return headerOfSources() + objects;
}

if (import.meta.main) {
  const kustomize = findKustomize();
  if (!kustomize) {
    console.error('render.ts: expected kubectl or kustomize in PATH, found neither; install one of them');
    process.exit(2);
  }
  mkdirSync(`${folder}generated`, { recursive: true });
  for (const overlay of overlays)
    writeFileSync(`${folder}generated/${overlay}.yaml`, render(kustomize, overlay));
}
