import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Seconds that one command of a consumer may take. */
const patience = 180;

/** A folder outside the repository, with nothing of ours in it except what npm installs. */
export class Place {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs a command here, with the caller's PATH. @returns stdout. @throws Error with the end of its output */
  async run(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    try {
      const { stdout } = await run(command, args, {
        cwd: this.folder,
        env: { ...outside(), ...env },
        timeout: patience * 1000,
        maxBuffer: 1 << 26,
      });
      return stdout.trim();
    } catch (error) {
      const {
        stdout = '',
        stderr = '',
        message,
      } = error as { stdout?: string; stderr?: string; message: string };
      throw new Error(`${command} ${args.join(' ')}: ${(stdout + stderr).trim().slice(-1500) || message}`);
    }
  }

  /** Counts the packages that npm has installed here. */
  countPackages(): number {
    const lock = JSON.parse(readFileSync(join(this.folder, 'node_modules/.package-lock.json'), 'utf8'));
    return Object.keys(lock.packages).length;
  }

  has(path: string): boolean {
    return readdirSync(join(this.folder, path, '..')).includes(path.split('/').at(-1)!);
  }
}

/** Our environment without the variables of `npm run` and `./run`; the settings of npm's registry stay. */
function outside(): NodeJS.ProcessEnv {
  const added =
    /^(npm_(package|lifecycle|execpath|command|node)|NODE_(COMPILE_CACHE|OPTIONS|PATH)|INIT_CWD|WHYLIGHT_)/i;
  const kept = Object.entries(process.env).filter(([name]) => !added.test(name));
  // ONNX Runtime's own install script fetches CUDA from another registry; the CPU's library is in the package.
  return { ...Object.fromEntries(kept), ONNXRUNTIME_NODE_INSTALL: 'skip' };
}

/** Installs packages into a place from the registry and from tarballs. */
export async function install(place: Place, packages: readonly string[]): Promise<void> {
  place.write('package.json', JSON.stringify({ private: true, type: 'module' }));
  await place.run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages]);
}
