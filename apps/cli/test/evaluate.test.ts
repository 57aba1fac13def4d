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
const ofShapes = ['--model', 'shapes'];

describe('evaluate', () => {
  it('takes objects as polygons, and the likeliest of their classes', async () => {
    const objects = [700_000, 700_001].map((seed) => {
      const {
        mask,
        label,
        picture: { width },
      } = draw(seed);
      // A rectangle for each pixel of the object.
      const polygons = [...mask.keys()]
        .filter((i) => mask[i])
        .map((i) => {
          const [x, y, d] = [(i % width) / width, Math.trunc(i / width) / width, 1 / width];
          return [x, y, x + d, y, x + d, y + d, x, y + d];
        });
      return { file: `${seed}.png`, classes: [label], polygons };
    });
    await writeFile(join(home, 'objects.json'), JSON.stringify(objects));
    const args = ['photos', '--objects', 'objects.json', ...ofShapes, ...metric, '-o', 'c', '--json'];
    const told = await whylight(home, 'evaluate', ...args);
    const drawn = await whylight(home, 'evaluate', '--drawings', '2', ...metric, '-o', 'd', '--json');
    expect([told.code, drawn.code]).toEqual([0, 0]);
    expect(JSON.parse(told.stdout).rows).toEqual(JSON.parse(drawn.stdout).rows);

    await writeFile(join(home, 'broken.json'), JSON.stringify([{ ...objects[0], classes: [] }]));
    const wrong = await whylight(home, 'evaluate', 'photos', '--objects', 'broken.json', '-o', 'e');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/^whylight: broken\.json: 0\.classes: /),
    ]);
  });

  it('makes mosaics of four classes, whose quarters are the objects', async () => {
    await mkdir(join(home, 'many'));
    for (let seed = 700_000; seed < 700_010; seed++)
      await writeFile(join(home, 'many', `${seed}.png`), await encodePng(draw(seed).picture));
    const args = ['many', '--mosaics', '2', ...ofShapes, '--metric', 'mass', '-o', 'f', '--json'];
    const { code, stdout } = await whylight(home, 'evaluate', ...args);
    expect(code).toBe(0);
    const { images, rows } = JSON.parse(stdout);
    expect(images).toBe(8);
    const [found, random, centre] = rows.map(({ values }: { values: { mass: number } }) => values.mass);
    expect(random).toBeCloseTo(0.25, 1);
    expect(centre).toBeCloseTo(0.25, 5);
    expect(found).toBeGreaterThan(0.3);

    const few = await whylight(home, 'evaluate', 'photos', '--mosaics', '1', '-o', 'g');
    expect([few.code, few.stderr]).toEqual([
      2,
      expect.stringContaining('expected photos of four classes or more in '),
    ]);
  });

  it('gives the same of a folder with masks as of the drawings that are in it', async () => {
    const folder = await whylight(
      home,
      'evaluate',
      'photos',
      '--masks',
      'masks',
      ...ofShapes,
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

  it('refuses metrics of the object where nobody says what it is, before it computes anything', async () => {
    const { code, stderr } = await whylight(
      home,
      'evaluate',
      'many',
      '--metric',
      'deletion,mass',
      '-o',
      'never',
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('metric mass needs to know')]);
    const last = ['--drawings', '2', '--method', 'grad-cam,seance', '-o', 'never'];
    expect((await whylight(home, 'evaluate', ...last)).stderr).toMatch(
      /^whylight: there is no method "seance"[^\n]*\n$/,
    );
  });

  it('refuses a mask of another size, and neither folder nor drawings', async () => {
    const wrong = await whylight(home, 'evaluate', 'photos', '--masks', 'wrong', ...ofShapes, '-o', 'c');
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
    const { code } = await whylight(home, 'explain', 'photos/700000.png', ...ofShapes, ...args, '-o', 'p');
    expect(code).toBe(0);
    expect((await decodeImage(await readFile(join(home, 'p/panels.png')))).width).toBe(2 * 256 + 3 * 13);
  });

  it('refuses signs that do not go with the panels before it explains anything', async () => {
    const args = ['--panels', 'masked_image', '--signs', 'all', '-o', 'q'];
    const { code, stderr } = await whylight(home, 'explain', 'photos/700000.png', ...ofShapes, ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/masked_image shows one sign/)]);
  });
});
