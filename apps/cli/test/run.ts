import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
