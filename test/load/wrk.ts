import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Measured {
  readonly requests_per_second: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Answers that were not 2xx or 3xx, and connections that broke. */
  readonly errors: number;
}

/** Whether the load generator is installed: https://github.com/wg/wrk, `apt install wrk`. */
export const haveWrk = (): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = spawn('wrk', ['--version'], { stdio: 'ignore' });
    asked.once('error', () => resolve(false));
    asked.once('exit', () => resolve(true));
  });

/** Repeats the same POST on so many connections, for so many seconds. */
export async function post(
  url: string,
  {
    body,
    headers,
    connections,
    seconds,
  }: {
    body: object;
    headers: Record<string, string>;
    connections: number;
    seconds: number;
  },
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-wrk-'));
  try {
    const script = join(folder, 'post.lua');
    const lines = Object.entries({ 'Content-Type': 'application/json', ...headers }).map(
      ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    );
    const text = `wrk.method = "POST"\nwrk.body = [==[${JSON.stringify(body)}]==]\n${lines.join('\n')}\n`;
    await writeFile(script, text, { mode: 0o600 });
    const args = ['-t', '1', '-c', `${connections}`, '-d', `${seconds}s`, '--timeout', '10s', '--latency'];
    const { stdout } = await promisify(execFile)('wrk', [...args, '-s', script, url]);
    return measured(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function measured(report: string): Measured {
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(report) ?? [];
  const latency = (percent: number) => {
    const [, value = 'NaN', unit = 'ms'] =
      new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s|m)`).exec(report) ?? [];
    return Number(value) * ({ us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit] ?? Number.NaN);
  };
  const [, refused = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(report) ?? [];
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report) ?? [];
  const errors = Number(refused) + broken.slice(1).reduce((sum, count) => sum + Number(count), 0);
  return { requests_per_second: Number(rate), p50_ms: latency(50), p99_ms: latency(99), errors };
}
