import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bin, runWith, whylight } from './run.ts';

const home = mkdtempSync(join(tmpdir(), 'whylight-video-'));
const inHome = (name: string) => join(home, name);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const installed = spawnSync('ffmpeg', ['-version']).status === 0;
if (!installed) console.warn('skipped: video needs ffmpeg, which is not installed');

const facts = (name: string): unknown => {
  const entries = 'stream=codec_name,width,height,avg_frame_rate,nb_frames';
  const args = ['-v', 'error', '-show_entries', entries, '-of', 'json', inHome(name)];
  return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })).streams;
};

describe.skipIf(!installed)('video', () => {
  const make = (name: string, ...args: string[]) =>
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, inHome(name)]);
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=161x121:rate=30000/1001:duration=0.7'];
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=0.7'];

  it('explains every frame, and keeps frame rate and audio', async () => {
    make('in.mp4', ...picture, ...sound, '-pix_fmt', 'yuv444p', '-c:a', 'aac');
    const { code, stdout } = await whylight(
      home,
      'video',
      'in.mp4',
      '-o',
      'out/v.mp4',
      '--batch',
      '4',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ frames: 21, width: 161, height: 121, audio: ['aac'] });
    expect(facts('out/v.mp4')).toMatchObject([
      { codec_name: 'h264', width: 162, height: 122, avg_frame_rate: '30000/1001', nb_frames: '21' },
      { codec_name: 'aac' },
    ]);
    expect(readdirSync(inHome('out'))).toEqual(['v.mp4']);
  });

  it('names the frame of a damaged file, and leaves nothing behind', async () => {
    make('whole.mp4', ...picture, '-g', '5', '-movflags', '+faststart');
    writeFileSync(inHome('damaged.mp4'), readFileSync(inHome('whole.mp4')).subarray(0, -6000));
    const { code, stdout, stderr } = await whylight(home, 'video', 'damaged.mp4', '-o', 'never/v.mp4');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^whylight: damaged\.mp4: frame \d+ cannot be decoded: .+\n$/);
    expect(readdirSync(inHome('never'))).toEqual([]);
  });

  it.skipIf(!existsSync('/proc'))('says what cannot be written', async () => {
    make('small.mp4', ...picture);
    const { code, stderr } = await whylight(home, 'video', 'small.mp4', '-o', '/proc/v.mp4');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^whylight: \/proc\/v\.mp4.*: No such file.*\n$/),
    ]);
  });

  it('says what is no video, in one sentence', async () => {
    writeFileSync(inHome('text.mp4'), 'no video');
    const { code, stderr } = await whylight(home, 'video', 'text.mp4', '-o', 'v.mp4');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^whylight: text\.mp4 is no video.*\n$/)]);
  });
});

it('says how to get ffmpeg where it is not installed', async () => {
  writeFileSync(inHome('any.mp4'), 'x');
  const { code, stderr } = await runWith({ PATH: '' }, home, 'video', 'any.mp4', '-o', 'v.mp4');
  expect([code, stderr]).toEqual([1, expect.stringContaining('ffprobe is not installed: on Debian')]);
});

describe.skipIf(!installed)('camera', () => {
  const source = ['testsrc=size=160x120:rate=10', '--format', 'lavfi', '--port', '0'];

  it('shows frames on a page until it is told to end', async () => {
    const child = spawn(process.execPath, [bin, 'camera', ...source], {
      env: { ...process.env, WHYLIGHT_HOME: home },
    });
    let said = '';
    for await (const text of child.stderr.setEncoding('utf8')) {
      said += text;
      if (said.includes('Ctrl-C')) break;
    }
    const url = /http:\S+/.exec(said)![0];
    expect(await (await fetch(url)).text()).toContain('/stream');
    const stream = await fetch(`${url}stream`);
    expect(stream.headers.get('content-type')).toBe('multipart/x-mixed-replace; boundary=frame');
    const { value } = await stream.body!.getReader().read();
    expect(Buffer.from(value!).toString('latin1')).toMatch(/^--frame\r\nContent-Type: image\/jpeg\r\n/);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends after as many frames as were asked for', async () => {
    const { code, stdout } = await whylight(home, 'camera', ...source, '--frames', '2', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ frames: 2, method: 'grad-cam' }),
    ]);
  });

  it('explains the score that was asked for, or says that it cannot', async () => {
    const asked = ['--method', 'deep-lift', '--score', 'softmax', '--frames', '1'];
    const { code, stderr } = await whylight(home, 'camera', ...source, ...asked);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/deep-lift explains logits/)]);
  });

  it('says which camera is not there', async () => {
    const { code, stderr } = await whylight(home, 'camera', '/dev/video99', '--format', 'v4l2');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^whylight: camera \/dev\/video99 \(v4l2\) cannot be opened: .*No such file/);
  });
});
