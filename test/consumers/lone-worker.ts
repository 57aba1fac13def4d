import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../apps/cli/bin/whylight.js', import.meta.url));

/** Starts `whylight worker` with that model on a free port, as a user does. */
export async function startLone(model: string): Promise<{ url: string; stop(): Promise<unknown> }> {
  const args = ['worker', '--model', model, '--port', '0', '--json'];
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  const exited = once(child, 'exit');
  return {
    url: JSON.parse(line).url,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
