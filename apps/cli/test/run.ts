import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { runCommandLine } from '../src/command-line.ts';

export const bin = fileURLToPath(new URL('../bin/whylight.js', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `whylight` as a user does, with a model store of its own. */
export const whylight = (home: string, ...args: string[]): Promise<Ended> => runWith({}, home, ...args);

/** The same with other environment variables. */
export const runWith = (variables: NodeJS.ProcessEnv, home: string, ...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, WHYLIGHT_HOME: home, ...variables };
    execFile(process.execPath, [bin, ...args], { env, cwd: home }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

/**
 * Runs one command of `whylight` in this process, and takes what it writes. A process needs more time to load the program than
 * most commands need for their work. Each command has some test by `whylight` too, which shows that its process ends.
 */
export async function runInProcess(home: string, ...args: string[]): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const before = process.cwd();
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += text;
      return true;
    }),
  );
  vi.stubEnv('WHYLIGHT_HOME', home);
  process.chdir(home);
  try {
    const code = await runCommandLine(args);
    return { code, ...written };
  } finally {
    process.chdir(before);
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
  }
}
