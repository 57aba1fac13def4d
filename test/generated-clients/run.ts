/**
 * `node test/generated-clients/run.ts`: clients that generators make of the OpenAPI document of a running service. They are type-checked, and
 * each runs one job. Then schemathesis sends what the document allows and what it does not. The tools are installed by npm and pip; a part
 * whose tools cannot be installed is not shown, with the reason.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools, run } from '../api-document/tools.ts';
import { RunningService } from '../service/running-service.ts';
import { installPythonTools } from './python-tools.ts';
import { mypy, type Outcome, pyright } from './type-checks.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const photo = here('../../apps/cli/photos/coffee.jpg');
const folder = mkdtempSync(join(tmpdir(), 'whylight-clients-'));
const failed: string[] = [];

type Step = readonly [program: string, ...args: string[]] | ((place: string) => Outcome);

/** Runs steps in a folder of their own, until one fails. */
function part(name: string, files: readonly string[], steps: readonly Step[], settings = {}): void {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  for (const file of files) copyFileSync(here(file), join(place, file));
  console.log(`\n-- ${name}`);
  for (const step of steps) {
    const [program, ...args] = typeof step === 'function' ? [] : step;
    const { status, output } =
      typeof step === 'function' ? step(place) : run(program!, args, place, settings);
    if (status === 0) continue;
    failed.push(name);
    if (program) console.log([program, ...args].join(' ').replace(key, 'KEY'));
    console.log(output);
    return;
  }
  console.log('works');
}

function skip(name: string, reason: string): void {
  console.log(`\n-- ${name}\nnot shown: ${reason}`);
}

const service = await RunningService.start();
const { url, api_key: key, operator_key, tenant } = service.ready;
const job = [url, key, photo] as const;
try {
  const openapi = join(folder, 'openapi.json');
  const document = await (await fetch(`${url}/openapi.json`)).text();
  writeFileSync(openapi, document);
  // The same document without operations tells which files of a client are the generator's own.
  const empty = join(folder, 'empty.json');
  const { components, ...rest } = JSON.parse(document);
  const none = { ...rest, paths: {}, components: { securitySchemes: components.securitySchemes } };
  writeFileSync(empty, JSON.stringify(none));

  const most = { requests: 1_000_000, concurrency: 100_000, compute_units: 100_000_000, batches: 100_000 };
  await fetch(`${url}/v1/operator/tenants/${tenant}/limits`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${operator_key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(most),
  });

  const node = join(folder, 'openapi-typescript');
  const missing = installTools(node);
  process.env.PATH = `${join(node, 'node_modules/.bin')}:${process.env.PATH}`;
  if (missing !== null) skip('openapi-typescript', missing);
  else
    part(
      'openapi-typescript',
      ['openapi-typescript-job.ts', 'tsconfig.json'],
      [
        ['openapi-typescript', openapi, '--default-non-nullable', 'false', '-o', 'whylight.d.ts'],
        ['tsc', '-p', 'tsconfig.json'],
        [process.execPath, 'openapi-typescript-job.ts', ...job],
      ],
    );

  const tools = installPythonTools();
  if ('reason' in tools)
    for (const name of ['openapi-python-client', 'openapi-generator', 'schemathesis'])
      skip(name, tools.reason);
  else {
    // Generators call formatters by their names.
    process.env.PATH = `${tools.commands}:${process.env.PATH}`;
    const python = join(tools.commands, 'python');
    const checkByPyright = (...files: string[]): Step =>
      missing === null
        ? (place) => pyright(['--pythonpath', python, ...files], place, { emptyClient: join(place, 'empty') })
        : () => {
            console.log(`not shown: pyright, because ${missing}`);
            return { status: 0, output: '' };
          };
    const generate = (from: string, to: string): Step => [
      ...(['openapi-python-client', 'generate', '--path', from, '--output-path', to] as const),
      ...['--meta', 'none', '--fail-on-warning'],
    ];
    part(
      'openapi-python-client',
      ['openapi_python_client_job.py'],
      [
        generate(openapi, 'whylight_client'),
        generate(empty, 'empty/whylight_client'),
        (place) =>
          mypy(['--strict', 'openapi_python_client_job.py', 'whylight_client'], place, {
            emptyClient: join(place, 'empty'),
          }),
        checkByPyright('openapi_python_client_job.py', 'whylight_client'),
        [python, 'openapi_python_client_job.py', ...job],
      ],
    );

    part(
      'openapi-generator',
      ['openapi_generator_job.py'],
      [
        [
          ...(['openapi-generator-cli', 'generate', '-g', 'python', '-i', openapi, '-o', '.'] as const),
          ...['--package-name', 'whylight_api', '--global-property'],
          'apiTests=false,modelTests=false,apiDocs=false,modelDocs=false',
        ],
        // The generator's own pyproject.toml says how strictly its clients can be checked.
        (place) =>
          mypy(['-p', 'whylight_api'], place, {
            emptyClient: join(place, 'empty'),
            known: [
              {
                finding: /k_serve_explain_response\.py:\d+: error: Argument 1 to "append" of "list"/,
                reason: 'the generator uses one variable for a list of lists and for a list',
              },
            ],
          }),
        (place) =>
          mypy(['--strict', '--config-file=', '--follow-imports=silent', 'openapi_generator_job.py'], place),
        checkByPyright('openapi_generator_job.py'),
        [python, 'openapi_generator_job.py', ...job],
      ],
    );

    part(
      'schemathesis',
      ['schemathesis.toml', 'rules.py'],
      [
        [
          ...(['schemathesis', 'run', openapi, '--url', url] as const),
          ...['--header', `Authorization: Bearer ${key}`, '--phases', 'coverage,fuzzing'],
          ...['--max-examples', '15', '--generation-deterministic', '--continue-on-failure', '--no-color'],
        ],
      ],
      { SCHEMATHESIS_HOOKS: 'rules' },
    );
  }
} finally {
  await service.remove();
  rmSync(folder, { recursive: true, force: true });
}
if (failed.length > 0) console.log(`\nFAILED: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
