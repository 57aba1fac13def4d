import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng } from '@whylight/host';
import { colourNetwork } from '@whylight/host/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bin, whylight } from './run.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-worker-'));
  await writeFile(join(home, 'colours.onnx'), colourNetwork());
});
afterAll(() => rm(home, { recursive: true, force: true }));

let running: ChildProcess | undefined;
afterEach(() => running?.kill('SIGKILL'));

/** Starts `whylight worker` as a user does, and reads what it prints when it is ready. */
async function started(...args: string[]): Promise<{ url: string; model: string }> {
  running = spawn(process.execPath, [bin, 'worker', '--json', '--port', '0', ...args], {
    env: { ...process.env, WHYLIGHT_HOME: home },
    cwd: home,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = await once(running.stdout!, 'data');
  return JSON.parse(String(line));
}

describe('worker', () => {
  it('serves a model by KServe’s protocols until it is told to stop', async () => {
    const { url, model } = await started('--model', 'colours.onnx', '--name', 'mine');
    expect(model).toBe('mine');
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const data = new Uint8Array(16 * 16 * 3).map((_, i) => (i % 3 === 1 ? 255 : 0));
    const green = Buffer.from(await encodePng({ width: 16, height: 16, channels: 3, data }));
    const response = await fetch(`${url}/v1/models/mine:predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ instances: [{ b64: green.toString('base64') }] }),
    });
    const { predictions } = (await response.json()) as { predictions: { class_index: number }[][] };
    expect(predictions[0]![0]!.class_index).toBe(1);
    running!.kill('SIGTERM');
    const [code] = await once(running!, 'exit');
    expect(code).toBe(0);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  it('asks for the key that the environment has', async () => {
    process.env.WORKER_API_KEY = 'a-key-from-outside';
    try {
      const { url } = await started('--model', 'colours.onnx');
      expect((await fetch(`${url}/v1/models`)).status).toBe(401);
      const headers = { Authorization: 'Bearer a-key-from-outside' };
      expect(await (await fetch(`${url}/v1/models`, { headers })).json()).toEqual({ models: ['colours'] });
    } finally {
      delete process.env.WORKER_API_KEY;
    }
  });

  it.each([
    [['--model', 'nowhere.onnx'], 'there is no model file nowhere.onnx'],
    [[], "required option '--model <name|path>' not specified"],
    [['--model', 'colours.onnx', '--key', 'short'], 'Expected at least 16 characters, without spaces'],
  ])('with %j says what is wrong', async (args, message) => {
    const { code, stderr } = await whylight(home, 'worker', ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
