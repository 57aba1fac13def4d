import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../api-document/tools.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const requirements = here('requirements.txt');
const cache = here('../../node_modules/.cache');

export type PythonTools = { readonly commands: string } | { readonly reason: string };

/**
 * Installs the generators of Python clients into a virtual environment of their own, once for each list of requirements. WHYLIGHT_PYTHON
 * names the Python that makes it. @returns the folder of the commands, or why there is none
 */
export function installPythonTools(): PythonTools {
  const python = process.env.WHYLIGHT_PYTHON ?? 'python3';
  const version = run(python, ['--version'], here('.'));
  if (version.status !== 0) return { reason: `${python} does not run (set WHYLIGHT_PYTHON)` };
  const key = createHash('sha256').update(version.output).update(readFileSync(requirements)).digest('hex');
  const place = join(cache, `whylight-python-tools-${key.slice(0, 16)}`);
  const commands = join(place, 'bin');
  if (existsSync(join(place, 'complete'))) return { commands };
  rmSync(place, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const made = run(python, ['-m', 'venv', place], cache);
  if (made.status !== 0) return { reason: `${python} cannot make a virtual environment: ${made.output}` };
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  const installed = run(join(commands, 'python'), pip, cache);
  if (installed.status !== 0) return { reason: `pip could not install the tools: ${installed.output}` };
  mkdirSync(join(place, 'complete'));
  return { commands };
}
