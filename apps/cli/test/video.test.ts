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

  /** Frames of which the first half is black and the second half shows the test picture. */
  const blackFirst = () =>
    make(
      'half.mp4',
      ...['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=1.2'],
      ...['-vf', "drawbox=c=black:t=fill:enable='lt(n,6)'", '-pix_fmt', 'yuv444p', '-qp', '0'],
    );
  const framesOf = (name: string): Buffer[] => {
    const raw = execFileSync(
      'ffmpeg',
      ['-v', 'error', '-i', inHome(name), '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
      { maxBuffer: 2 ** 28 },
    );
    return Array.from({ length: 12 }, (_, n) => raw.subarray(n * 160 * 120 * 3, (n + 1) * 160 * 120 * 3));
  };

  it('has one scale for all frames, and a table that says how strong the map of each is', async () => {
    blackFirst();
    const asked = ['--method', 'saliency', '--model', 'shapes', '--csv', 'out/half.csv'];
    const { code } = await whylight(home, 'video', 'half.mp4', '-o', 'out/half.mp4', ...asked);
    expect(code).toBe(0);
    const [header, ...rows] = readFileSync(inHome('out/half.csv'), 'utf8').trim().split('\n');
    expect(header).toBe(
      'frame,seconds,class_index,label,probability,score,target_index,target_label,target_probability,target_score,largest',
    );
    expect(rows).toHaveLength(12);
    const cells = rows.map((row) => row.split(','));
    expect(cells.map(([frame, seconds]) => [Number(frame), Number(seconds)])).toEqual(
      Array.from({ length: 12 }, (_, n) => [n, n / 10]),
    );
    const largest = cells.map((row) => Number(row.at(-1)));
    expect(largest[0]).toBeLessThan(0.2 * largest[11]!);
    // The weak frame has less colour than it would have with a scale of its own.
    make('alone.mp4', '-i', inHome('half.mp4'), '-frames:v', '1', '-qp', '0');
    await whylight(
      home,
      'video',
      'alone.mp4',
      '-o',
      'out/alone.mp4',
      '--method',
      'saliency',
      '--model',
      'shapes',
    );
    const colour = (frame: Buffer) => {
      let sum = 0;
      for (let at = 60 * 160 * 3; at < frame.length; at += 3)
        sum += Math.max(...frame.subarray(at, at + 3)) - Math.min(...frame.subarray(at, at + 3));
      return sum;
    };
    const [shared, alone] = ['out/half.mp4', 'out/alone.mp4'].map((name) => colour(framesOf(name)[0]!));
    expect(shared).toBeLessThan(0.5 * alone!);
  });

  it('takes the colours and the crop that explain takes', async () => {
    blackFirst();
    const draw = async (...options: string[]) => {
      const asked = ['-o', 'out/look.mp4', '--model', 'shapes', '--method', 'grad-cam', ...options];
      expect((await whylight(home, 'video', 'half.mp4', ...asked)).code).toBe(0);
      return framesOf('out/look.mp4')[11]!;
    };
    const [own, jet, weak, whole] = [
      await draw(),
      await draw('--colormap', 'jet'),
      await draw('--alpha', '0.9'),
      await draw('--resize', '48', '--no-crop'),
    ];
    for (const other of [jet, weak, whole]) expect(other.equals(own)).toBe(false);
    // torchcam's colours are blue where the map is zero.
    const blueIn = (frame: Buffer) => frame.filter((level, i) => i % 3 === 2 && level > 60).length;
    expect(blueIn(jet)).toBeGreaterThan(blueIn(own));
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
    const stream = await fetch(url.replace('/?', '/stream?'));
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
