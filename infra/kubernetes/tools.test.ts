/** What needs tools that are not npm packages. Each test that cannot run prints why. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, overlays, readManifests } from './manifests.ts';
import { findKustomize, render } from './render.ts';

function has(tool: string, hint: string): boolean {
  const found = spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!found) console.log(`not shown: ${tool} is not in PATH (${hint})`);
  return found;
}
const kustomize = findKustomize();
if (!kustomize) console.log('not shown: neither kubectl nor kustomize is in PATH');
const canValidate = has('kubernetes-validate', 'pip install kubernetes-validate');
const canCheckRules = has('promtool', 'apt-get install prometheus');

test.skipIf(!kustomize).each(overlays)('kustomize makes generated/%s.yaml of the overlay', (overlay) =>
  expect(
    readFileSync(`${folder}generated/${overlay}.yaml`, 'utf8'),
    'run node infra/kubernetes/render.ts',
  ).toBe(render(kustomize!, overlay)),
);

test.skipIf(!canValidate).each(overlays)("generated/%s.yaml obeys Kubernetes' own schemas", (overlay) => {
  withFiles(
    readManifests(overlay)
      // It knows no kinds of operators.
      .filter(({ apiVersion }) => !/^(keda\.sh|monitoring\.coreos\.com)\//.test(apiVersion))
      .map(({ file: _, ...object }) => JSON.stringify(object)),
    (files) => execFileSync('kubernetes-validate', ['--strict', ...files], { encoding: 'utf8' }),
  );
});

test.skipIf(!canCheckRules)('Prometheus takes the rules', () => {
  const { spec } = readManifests('example').find(({ kind }) => kind === 'PrometheusRule')!;
  const output = withFiles([JSON.stringify(spec)], (files) =>
    execFileSync('promtool', ['check', 'rules', ...files], { encoding: 'utf8' }),
  );
  expect(output).toContain(`SUCCESS: ${spec.groups[0].rules.length} rules found`);
});

function withFiles<T>(texts: readonly string[], use: (files: readonly string[]) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'whylight-manifests-'));
  try {
    return use(
      texts.map((text, index) => {
        const file = join(folder, `${index}.yaml`);
        writeFileSync(file, text);
        return file;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
