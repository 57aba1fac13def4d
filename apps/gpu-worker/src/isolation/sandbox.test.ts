import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const worker = `
  import { readFileSync } from 'node:fs';
  import { startSandboxed } from ${JSON.stringify(new URL('sandbox.ts', import.meta.url).href)};
  const script = ${JSON.stringify(fileURLToPath(new URL('main.ts', import.meta.url)))};
  const { child, isTied } = await startSandboxed(script, { megabytes: 1024 });
  // The worker stops a process only when it has a model, long after the shell has become Node.
  while (!readFileSync(\`/proc/\${child.pid}/cmdline\`, 'utf8').startsWith(process.execPath))
    await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill('SIGSTOP');
  console.log(JSON.stringify({ pid: child.pid, isTied }));
  setInterval(() => {}, 1000);
`;

/** The state of a process as the kernel says it; null once it is gone. */
const stateOf = async (pid: number): Promise<string | null> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  const state = text?.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3) ?? null;
  // A zombie waits for its parent only.
  return state === 'Z' ? null : state;
};

test('L8: the process of a model that is stopped ends with its worker, also if that is killed', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', worker], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => createInterface(parent.stdout).once('line', resolve));
  const { pid, isTied } = JSON.parse(line) as { pid: number; isTied: boolean };
  expect(await stateOf(pid)).not.toBeNull();
  parent.kill('SIGKILL');
  // Without `setpriv` processes are never stopped.
  if (isTied) await expect.poll(() => stateOf(pid), { timeout: 20_000 }).toBeNull();
  else process.kill(pid, 'SIGKILL');
});
