import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { picture } from '@whylight/core/image';
import { decodeImage, encodePng } from '@whylight/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draw } from '../../../models/shapes/draw.ts';
import { whylight } from './run.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-evaluate-'));
  for (const name of ['photos', 'masks', 'wrong']) await mkdir(join(home, name));
  for (const seed of [700_000, 700_001]) {
    const { picture: photo, mask } = draw(seed);
    const { width, height } = photo;
    const white = Uint8Array.from({ length: width * height * 3 }, (_, i) => 255 * mask[Math.trunc(i / 3)]!);
    await writeFile(join(home, 'photos', `${seed}.png`), await encodePng(photo));
    await writeFile(join(home, 'masks', `${seed}.png`), await encodePng(picture(width, height, white)));
    await writeFile(join(home, 'wrong', `${seed}.png`), await encodePng(picture(1, 1, new Uint8Array(3))));
  }
});
afterAll(() => rm(home, { recursive: true, force: true }));

const metric = ['--metric', 'pointing,mass'];

describe('evaluate', () => {
  it('gives the same of a folder with masks as of the drawings that are in it', async () => {
    const folder = await whylight(
      home,
      'evaluate',
      'photos',
      '--masks',
      'masks',
      ...metric,
      '-o',
      'a',
      '--json',
    );
    const drawn = await whylight(home, 'evaluate', '--drawings', '2', ...metric, '-o', 'b', '--json');
    expect([folder.code, drawn.code]).toEqual([0, 0]);
    const report = JSON.parse(folder.stdout);
    expect(report.rows).toEqual(JSON.parse(drawn.stdout).rows);
    expect(report.rows.map(({ method }: { method: string }) => method)).toEqual([
      'grad-cam',
      'random',
      'centre',
    ]);
    const [found, random] = report.rows;
    expect(found.values.mass).toBeGreaterThan(3 * random.values.mass);
    expect((await readdir(join(home, 'a'))).sort()).toEqual([
      'chart.png',
      'table.csv',
      'table.json',
      'table.md',
    ]);
    expect(await readFile(join(home, 'a/table.csv'), 'utf8')).toMatch(/^method,pointing,mass\ngrad-cam,/);
    expect((await decodeImage(await readFile(join(home, 'a/chart.png')))).width).toBeGreaterThan(400);
  });

  it('refuses a mask of another size, and neither folder nor drawings', async () => {
    const wrong = await whylight(home, 'evaluate', 'photos', '--masks', 'wrong', '-o', 'c');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/expected 128×128 as its photo, got 1×1/),
    ]);
    expect((await whylight(home, 'evaluate', '-o', 'c')).stderr).toMatch(
      /either a folder of photos or --drawings/,
    );
  });
});

describe('explain --panels', () => {
  it('draws panels beside the other pictures', async () => {
    const args = ['--panels', 'original_image,heat_map', '--signs', 'all,positive', '--titles', 'A,B'];
    const { code } = await whylight(home, 'explain', 'photos/700000.png', ...args, '-o', 'p');
    expect(code).toBe(0);
    expect((await decodeImage(await readFile(join(home, 'p/panels.png')))).width).toBe(2 * 128 + 3 * 13);
  });

  it('refuses signs that do not go with the panels before it explains anything', async () => {
    const args = ['--panels', 'masked_image', '--signs', 'all', '-o', 'q'];
    const { code, stderr } = await whylight(home, 'explain', 'photos/700000.png', ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/masked_image shows one sign/)]);
  });
});
