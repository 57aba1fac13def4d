/**
 * `node test/generated-clients/run.ts`: clients that generators make of the OpenAPI document of a running service. openapi-python-client's
 * passes `mypy --strict`, openapi-typescript's passes tsc; each runs one job. Then schemathesis sends what the document allows and what it does not. WHYLIGHT_PYTHON names the Python; what it lacks is not shown, with the reason.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools, run } from '../api-document/tools.ts';
import { RunningService } from '../service/running-service.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const python = process.env.WHYLIGHT_PYTHON ?? 'python3';
// The generators, and what they call, are commands beside the interpreter.
if (isAbsolute(python)) process.env.PATH = `${dirname(python)}:${process.env.PATH}`;
const photo = here('../../apps/cli/photos/coffee.jpg');
const folder = mkdtempSync(join(tmpdir(), 'whylight-clients-'));
const failed: string[] = [];

type Step = readonly [program: string, ...args: string[]];

/** Runs steps in a folder of their own, until one fails. */
function part(name: string, files: readonly string[], steps: readonly Step[], settings = {}): void {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  for (const file of files) copyFileSync(here(file), join(place, file));
  console.log(`\n-- ${name}`);
  for (const [program, ...args] of steps) {
    const { status, output } = run(program, args, place, settings);
    if (status === 0) continue;
    failed.push(name);
    console.log(`${[program, ...args].join(' ').replace(key, 'KEY')}\n${output}`);
    return;
  }
  console.log('works');
}

/** Whether Python has these modules; says so where it has not. */
function has(what: string, ...modules: string[]): boolean {
  const { status } = run(python, ['-c', `import ${modules.join(', ')}`], folder);
  if (status !== 0)
    console.log(`\n-- ${what}\nnot shown: ${python} lacks ${modules.join(', ')} (set WHYLIGHT_PYTHON)`);
  return status === 0;
}

const service = await RunningService.start();
const { url, api_key: key, operator_key, tenant } = service.ready;
const job = [url, key, photo] as const;
try {
  const openapi = join(folder, 'openapi.json');
  writeFileSync(openapi, await (await fetch(`${url}/openapi.json`)).text());
  const most = { requests: 1_000_000, concurrency: 100_000, compute_units: 100_000_000, batches: 100_000 };
  await fetch(`${url}/v1/operator/tenants/${tenant}/limits`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${operator_key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(most),
  });

  const missing = installTools(join(folder, 'openapi-typescript'));
  if (missing !== null) throw new Error(missing);
  part(
    'openapi-typescript',
    ['job.ts', 'tsconfig.json'],
    [
      ['openapi-typescript', openapi, '--default-non-nullable', 'false', '-o', 'whylight.d.ts'],
      ['tsc', '-p', 'tsconfig.json'],
      [process.execPath, 'job.ts', ...job],
    ],
  );

  if (has('openapi-python-client', 'openapi_python_client', 'mypy'))
    part(
      'openapi-python-client',
      ['job.py'],
      [
        [
          'openapi-python-client',
          'generate',
          '--path',
          openapi,
          '--output-path',
          'whylight_client',
          '--meta',
          'none',
          '--fail-on-warning',
        ],
        [python, '-m', 'mypy', '--strict', 'job.py'],
        [python, 'job.py', ...job],
      ],
    );

  if (has('schemathesis', 'schemathesis'))
    part(
      'schemathesis',
      ['schemathesis.toml', 'rules.py'],
      [
        [
          'schemathesis',
          'run',
          openapi,
          '--url',
          url,
          '--header',
          `Authorization: Bearer ${key}`,
          '--phases',
          'coverage,fuzzing',
          '--max-examples',
          '15',
          '--generation-deterministic',
          '--continue-on-failure',
          '--no-color',
        ],
      ],
      { SCHEMATHESIS_HOOKS: 'rules' },
    );
} finally {
  await service.remove();
  rmSync(folder, { recursive: true, force: true });
}
if (failed.length > 0) console.log(`\nFAILED: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
