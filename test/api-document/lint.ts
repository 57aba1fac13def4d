/**
 * `node test/api-document/lint.ts`: checks the OpenAPI document by redocly's and Spectral's recommended rules. Any finding fails. The linters
 * are installed into a temporary folder from npm; where npm cannot do that, the reason is printed, and nothing is shown.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiDocument } from './document.ts';
import { installTools, run } from './tools.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'whylight-lint-'));
try {
  await lint();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function lint(): Promise<void> {
  const missing = installTools(folder);
  if (missing !== null) return console.log(`not shown: ${missing}`);
  writeFileSync(
    join(folder, 'openapi.json'),
    JSON.stringify(await apiDocument('https://whylight.example.org')),
  );
  for (const rules of ['redocly.yaml', 'spectral.yaml']) copyFileSync(here(rules), join(folder, rules));
  const linters = {
    redocly: [
      'lint',
      'openapi.json',
      '--config',
      'redocly.yaml',
      '--format',
      'json',
      '--max-problems',
      '1000',
    ],
    spectral: ['lint', 'openapi.json', '--ruleset', 'spectral.yaml', '--fail-severity', 'hint'],
  };
  for (const [linter, args] of Object.entries(linters)) {
    const { status, output } = run(linter, args, folder);
    // redocly ends well if it has only warnings.
    const findings = linter === 'redocly' ? /"(errors|warnings)": [1-9]/.test(output) : status !== 0;
    console.log(`${linter}: ${findings || status !== 0 ? output : 'no findings'}`);
    if (findings || status !== 0) process.exitCode = 1;
  }
}
